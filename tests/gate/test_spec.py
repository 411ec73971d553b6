"""The gate's file: margins, the error that names the key, the schema."""

from __future__ import annotations

import datetime
import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.core.errors import UsageError
from mmbench.gate.spec import GateSpec, LedgerSpec, RelativeMargin, json_schema, parse_margin, read_spec

FILE = """
[gate]
alpha_fail = 0.01
on_inconclusive = { pr = "warn", nightly = "fail" }
anchor = { ref = "references/v1", margin_factor = 3.0 }
ledger = { file = "looks.jsonl", shares = [0.5, 0.5] }
[[gate.metric]]
select = "miou"
where = { suite = ["seg@*", "tiny@1"], model = "concat" }
better = "higher"
margin = "0.5pt"
slice = "time=night"
[[gate.metric]]
select = "pixel_accuracy"
role = "guard"
margin = 0.02
[[gate.waiver]]
metric = "miou*"
until = 2026-12-31
reason = "accepted, PR 412"
"""


def read(folder: Path, text: str) -> GateSpec:
    (folder / "mmbench.toml").write_text(text)
    return read_spec(folder / "mmbench.toml")


def test_every_key_is_read(tmp_path: Path) -> None:
    spec = read(tmp_path, FILE)
    night, pixels = spec.metric
    assert (night.margin, night.where.suite, night.slice) == (0.005, ("seg@*", "tiny@1"), "time=night")
    assert (pixels.role, pixels.margin) == ("guard", 0.02)
    assert spec.waiver[0].until == datetime.date(2026, 12, 31)
    assert (spec.policy("nightly"), spec.alpha_fail, spec.alpha_pass) == ("fail", 0.01, 0.05)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("[gate]\nmargins = 3", "gate.margins: unknown key"),
        ("[[gate.metric]]\nselect = 'miou'\nmagrin = 0.1", "gate.metric.0.magrin: unknown key"),
        ("[[gate.metric]]\nselect = 'miou'\nmargin = '3 percent'", "write points like '0.5pt'"),
        ("[[gate.metric]]\nselect = 'miou'\nmargin = '1% + 2%'", "write points like '0.5pt'"),
        ("[gate]\nlooks = 5", "looks are counted by a ledger"),
        ("[gate]\nlooks = 5\nledger = {file = 'x', shares = [1.0]}", "both share alpha"),
        ("[gate]\nbudget_s = 0", "gate.budget_s"),
        ("[[gate.metric]]\nselect = 'miou'\nmargin = -0.1", "gate.metric.0.margin"),
        ("[[gate.metric]]\nselect = 'miou'\nmargin = nan", "gate.metric.0.margin"),
        ("[[gate.waiver]]\nmetric = 'miou'\nuntil = 2026-01-01", "gate.waiver.0.reason"),
        ("[[gate.waiver]]\nmetric = 'miou'\nuntil = 2026-01-01\nreason = ''", "gate.waiver.0.reason"),
        ("[gate]\nledger = {file = 'x', shares = [0.9, 0.2]}", "sum to at most 1"),
        ("[gate", "is not TOML"),
        ("", "gate: Field required"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, line: str, says: str) -> None:
    with pytest.raises(UsageError, match=r"mmbench\.toml") as raised:
        read(tmp_path, line)
    assert says in str(raised.value)


def test_an_unknown_context_is_refused() -> None:
    with pytest.raises(UsageError, match="known: pr, release"):
        GateSpec().policy("relaese")


@given(st.decimals(0, 100, places=3))
def test_points_are_hundredths(points) -> None:
    assert parse_margin(f"{points}pt") == pytest.approx(float(points) / 100)


def test_a_share_of_the_base_is_a_margin() -> None:
    """In a hundred, whichever sign the score has, with points on top; nothing where the base is undefined."""
    assert parse_margin("2%") == RelativeMargin(0.02)
    assert parse_margin(" 1.5 % + 0.5 pt ") == RelativeMargin(0.015, 0.005)
    found = RelativeMargin(0.02, 0.005)
    assert found.of(0.5) == found.of(-0.5) == pytest.approx(0.015)
    assert found.of(float("nan")) == 0.0


def test_looks_spend_all_of_alpha_the_later_ones_more() -> None:
    spec = GateSpec(ledger=LedgerSpec(file="x"), looks=5)
    assert spec.shares == pytest.approx((0.10, 0.15, 0.20, 0.25, 0.30))
    for looks in (1, 2, 17):
        shares = GateSpec(ledger=LedgerSpec(file="x"), looks=looks).shares
        assert (len(shares), sum(shares)) == (looks, pytest.approx(1))
        assert list(shares) == sorted(shares)
    assert GateSpec(ledger=LedgerSpec(file="x")).shares == LedgerSpec(file="x").shares
    assert GateSpec().shares == ()


@pytest.mark.parametrize("text", ["0.5pt", "2%", "1% + 0.5pt"])
def test_the_schema_takes_what_the_reader_takes(text: str) -> None:
    forms = json_schema()["$defs"]["MetricRule"]["properties"]["margin"]["anyOf"]
    (pattern,) = {part["pattern"] for form in forms for part in form.get("anyOf", [form]) if "pattern" in part}
    assert re.search(pattern, text)
    assert not re.search(pattern, f"{text} and more")


def test_the_schema_names_every_key_and_allows_no_other() -> None:
    """Every table that the file may hold is closed, as the reader's are."""
    schema = json_schema()
    assert all(table["additionalProperties"] is False for table in schema["$defs"].values())
    assert set(schema["$defs"]["GateSpec"]["properties"]) == set(GateSpec.model_fields)
    assert "pt" in json.dumps(schema["$defs"]["MetricRule"]["properties"]["margin"])


DOCS = Path(__file__).resolve().parents[2] / "docs"


@pytest.mark.skipif(not DOCS.is_dir(), reason="the docs do not come with an installed package")
def test_the_published_schema_and_the_documented_file_are_current(tmp_path: Path) -> None:
    """``mmbench gate --schema > docs/mmbench.schema.json`` writes it again."""
    assert json.loads((DOCS / "mmbench.schema.json").read_text()) == json_schema()
    text = (DOCS / "gate.md").read_text()
    spec = read(tmp_path, text.partition("```toml\n")[2].partition("```")[0])
    assert (spec.ledger, spec.looks, spec.budget_s) == (LedgerSpec(file="looks.jsonl"), 5, 900)
    assert [rule.label for rule in spec.metric] == ["", "pedestrian"]
