"""``mmbench gate``: the right exit code for every kind of damage, and the outputs that a CI job reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from mmbench.cli import gate as command
from mmbench.cli.main import main
from mmbench.gate.spec import read_spec
from mmbench.metrics.rows import Rows
from mmbench.store import load_record, save_rows, save_run

MARGIN = """
[gate]
[[gate.metric]]
select = "miou"
margin = "{margin}"
"""


@pytest.fixture
def sides(desk):
    """``base``: the good weights. ``head``: the same. ``worse``: night shades are damaged."""
    assert desk.run("base") == 0
    assert desk.run("head") == 0
    desk.weigh(night=[10.0, 20.0, 50.0])
    assert desk.run("worse") == 0
    return desk


def gate(*more: str, base: str = "base", head: str = "head") -> int:
    return main(["gate", "--base", base, "--head", head, *more])


def folder_of(results: str) -> Path:
    (file,) = Path(results).rglob("record.json")
    return file.parent


def edit_rows(results: str, change: Callable[[Rows], Rows]) -> None:
    """Changes the rows of a run, and its record with them."""
    folder = folder_of(results)
    record = load_record(folder)
    rows = change(Rows.load(folder / "rows.npz"))
    save_run(folder, record.model_copy(update={"rows": save_rows(folder, rows)}))


def with_table(rows: Rows, table: np.ndarray, ids: tuple[str, ...] | None = None) -> Rows:
    return Rows(ids or rows.ids, ids or rows.groups, rows.tags, {"confusion": table})


def test_unchanged_passes_at_once(sides, capsys):
    assert gate() == 0
    out = capsys.readouterr().out
    assert "Gate: PASS" in out
    assert "0/80" in out


def test_a_regression_is_1_and_names_metric_difference_slice_and_sample(sides, capsys):
    assert gate(head="worse") == 1
    out = " ".join(capsys.readouterr().out.split())
    assert "Gate: REGRESS" in out
    assert "REGRESS miou (make on tiny@1)" in out
    assert "worse by 3." in out
    assert "worst slices: time=night" in out
    assert "samples: night_" in out


def test_an_improvement_is_not_a_regression_and_swapped_sides_are_one(sides):
    """Base and head exchanged turn an improvement into a regression."""
    assert gate(base="worse", head="base") == 0
    assert gate(base="base", head="worse") == 1


def test_a_reference_as_head_is_swapped(sides, capsys):
    assert main(["gate", "accept", "base", "-o", "refs"]) == 0
    assert gate(base="worse", head="refs") == 4
    assert "swapped" in capsys.readouterr().err
    assert gate(base="refs", head="worse") == 1


def test_a_flipped_direction_is_refused(sides, capsys):
    Path("mmbench.toml").write_text('[[gate.metric]]\nselect = "miou"\nbetter = "lower"\n')
    assert gate(head="worse") == 2
    assert "higher is better" in capsys.readouterr().err


def test_unpaired_ids_are_refused(sides, capsys):
    """Also where the key claims that they are the same."""
    edit_rows("head", lambda rows: with_table(rows, rows.values["confusion"], tuple(f"x{i}" for i in rows.ids)))
    assert gate() == 4
    assert "is not in all of them" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("field", "value"),
    [("data", "0" * 16), ("ids", "1" * 16), ("version", 2), ("subset", "n=5,seed=0"), ("suite", "x")],
)
def test_another_key_is_refused_with_its_field(sides, edit_record, capsys, field, value):
    edit_record("head", lambda record: record["key"].update({field: value}))
    assert gate() == 4
    assert f"{field}: " in capsys.readouterr().err


def test_another_metric_version_is_refused(sides, edit_record, capsys):
    edit_record("head", lambda record: record["key"]["metrics"].update(miou=7))
    assert gate() == 4
    assert "miou@1 against miou@7" in capsys.readouterr().err


def test_a_metric_of_one_side_is_refused(sides, edit_record, capsys):
    edit_record("head", lambda record: record["key"]["metrics"].pop("pixel_accuracy"))
    assert gate() == 4
    assert "pixel_accuracy" in capsys.readouterr().err


def test_constant_harm_is_a_regression(sides):
    """All samples alike and equally worse: no spread at all, and no doubt."""
    table = np.tile(np.array([[30, 20, 10, 34, 20, 10, 30, 20, 14]]), (80, 1))
    worse = np.tile(np.array([[20, 20, 10, 24, 30, 10, 30, 20, 14]]), (80, 1))
    edit_rows("base", lambda rows: with_table(rows, table))
    edit_rows("head", lambda rows: with_table(rows, worse))
    assert gate() == 1


@pytest.mark.parametrize("head", ["head", "worse"])
def test_one_sample_is_unfit(sides, capsys, head):
    """Changed or not: one sample says nothing."""
    for name in ("base", head):
        edit_rows(name, lambda rows: rows.select([1]))
    assert gate(head=head) == 5
    assert "Gate: UNFIT" in capsys.readouterr().out


def test_an_undefined_score_is_unfit(sides):
    edit_rows("head", lambda rows: with_table(rows, np.zeros_like(rows.values["confusion"])))
    assert gate("--junit", "out.xml") == 5
    suite = ElementTree.fromstring(Path("out.xml").read_text())  # noqa: S314  written by us
    assert suite.get("errors") == "2"
    edit_rows("base", lambda rows: with_table(rows, np.zeros_like(rows.values["confusion"])))
    assert gate() == 5


def test_rows_that_are_not_numbers_are_no_pass(sides):
    nan = np.full((80, 9), np.nan)
    edit_rows("head", lambda rows: with_table(rows, nan))
    assert gate() == 5


def test_no_samples_are_refused(sides):
    for name in ("base", "head"):
        edit_rows(name, lambda rows: rows.select([]))
    assert gate() == 4


def test_failed_samples_are_6(sides, capsys):
    (sides.folder / "data" / "rgb" / "day_000.png").write_bytes(b"no picture")
    assert sides.run("broken") == 6
    assert gate(head="broken") == 6
    assert "1 of 80 samples" in capsys.readouterr().err
    assert main(["gate", "accept", "broken", "-o", "refs"]) == 6


@pytest.mark.parametrize(("base", "head"), [("nothing", "head"), ("base", "nothing"), ("empty", "head")])
def test_a_missing_side_is_4(sides, base, head):
    Path("empty").mkdir()
    assert gate(base=base, head=head) == 4


def test_a_model_without_reference_is_4(sides, edit_record, capsys):
    sides.run("head", "--limit", "40")
    edit = {"name": "other"}
    for index, file in enumerate(sorted(Path("head").rglob("record.json"))):
        record = json.loads(file.read_text())
        record["model"].update(edit if index else {})
        record["id"] += str(index)
        file.write_text(json.dumps(record))
    assert gate() == 4
    assert "no run of other" in capsys.readouterr().err


def test_rules_that_match_nothing_are_4(sides, capsys):
    for rule in (
        'select = "mIoU"',
        'select = "miou"\nslice = "time=dawn"',
        'select = "miou"\nwhere = {suite = "seg*"}',
    ):
        Path("mmbench.toml").write_text(f"[[gate.metric]]\n{rule}\n")
        assert gate() == 4
        assert "No metric of the runs fits" in capsys.readouterr().err


def test_damaged_files_are_7(sides):
    record = folder_of("head") / "record.json"
    whole = record.read_text()
    record.write_text(whole[: len(whole) // 2])
    assert gate() == 7
    record.write_text(json.dumps(json.loads(whole) | {"schema": 99}))
    assert gate() == 7
    record.write_text(whole)
    rows = folder_of("head") / "rows.npz"
    rows.write_bytes(rows.read_bytes()[:-20])
    assert gate() == 7


def test_a_bug_of_ours_is_70_never_1(sides, monkeypatch):
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("mmbench.gate.session.pair_sides", broken)
    assert gate() == 70


def test_margins_give_three_outcomes(sides, capsys):
    """The harm is about 3.4 points, with a standard error of about 0.7."""
    for margin, pr, release in (("0.5pt", 1, 1), ("3.5pt", 0, 3), ("9pt", 0, 0)):
        Path("mmbench.toml").write_text(MARGIN.format(margin=margin))
        assert gate(head="worse") == pr
        assert gate("--context", "release", head="worse") == release
        out = " ".join(capsys.readouterr().out.split())
        assert {1: "REGRESS: 1 regress", 3: "INCONCLUSIVE: 1 inconclusive", 0: "PASS: 1 pass"}[release] in out
        assert ("groups would decide, 80 are there" in out) == (release == 3)


def test_without_a_margin_the_limit_of_the_measurement_is_told(sides, capsys):
    """Detect mode: no proven drop is exit code 0, with what cannot be excluded."""
    sides.weigh(night=[10.0, 29.5, 50.0])
    sides.run("near")
    assert gate(head="near") == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "Gate: NO REGRESSION FOUND" in out
    assert "worse cannot be excluded with 80 groups" in out


def test_a_slice_can_be_gated(sides, capsys):
    rule = '[[gate.metric]]\nselect = "miou"\nslice = "time={time}"\nmargin = "2pt"\n'
    Path("mmbench.toml").write_text(rule.format(time="day"))
    assert gate(head="worse") == 0
    Path("mmbench.toml").write_text(rule.format(time="*"))
    assert gate(head="worse") == 1
    assert "miou{time=night}" in capsys.readouterr().out


def test_a_class_can_be_gated(sides, capsys):
    Path("mmbench.toml").write_text('[[gate.metric]]\nselect = "iou"\nlabel = "b"\n')
    assert gate("--json", head="worse") == 1
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert finding["metric"] == "iou{label=b}"


WAIVER = """
[[gate.metric]]
select = "miou"
[[gate.waiver]]
metric = "miou"
until = {until}
reason = "the night set is being relabelled"
"""


def test_a_waiver_holds_until_its_day(sides, monkeypatch, capsys):
    import datetime

    Path("mmbench.toml").write_text(WAIVER.format(until="2030-06-01"))
    for day, code in ((1, 0), (2, 1)):
        monkeypatch.setattr(command, "today", lambda day=day: datetime.date(2030, 6, day))
        assert gate(head="worse") == code
        out = " ".join(capsys.readouterr().out.split())
        assert "the night set is being relabelled" in out
        assert ("REGRESS (waived)" in out) == (code == 0)


def test_an_anchor_stops_a_slow_creep(desk, capsys):
    """Each step is within the margin, the sum of the steps is not within twice the margin."""
    for index, shade in enumerate((30.0, 26.0, 22.5, 19.0)):
        desk.weigh(night=[10.0, shade, 50.0])
        desk.run(f"r{index}")
    rule = '[gate]\n{anchor}\n[[gate.metric]]\nselect = "miou"\nmargin = "3pt"\n'
    Path("mmbench.toml").write_text(rule.format(anchor=""))
    assert [gate(base=f"r{i}", head=f"r{i + 1}") for i in range(3)] == [0, 0, 0]
    Path("mmbench.toml").write_text(rule.format(anchor='anchor = { ref = "r0", margin_factor = 1.0 }'))
    assert gate(base="r2", head="r3") == 1
    assert "against the anchor" in " ".join(capsys.readouterr().out.split())


def test_the_outputs_say_the_same(sides, capsys):
    arguments = ["--md", "out.md", "--junit", "out.xml", "--annotations", "github"]
    Path("out.md").write_text("before\n")
    assert gate(*arguments, head="worse") == 1
    out = capsys.readouterr().out
    assert out.count("::error title=REGRESS ") == 2
    text = Path("out.md").read_text()
    assert text.startswith("before\n### mmbench gate: REGRESS")
    suite = ElementTree.fromstring(Path("out.xml").read_text())  # noqa: S314  written by us
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("2", "2", "0")
    assert {case.get("name") for case in suite} == {"miou", "pixel_accuracy"}
    assert gate("--json", head="worse") == 1
    report = json.loads(capsys.readouterr().out)
    assert report["exit_code"] == 1
    assert {finding["status"] for finding in report["findings"]} == {"regress"}
    gate(*arguments)
    suite = ElementTree.fromstring(Path("out.xml").read_text())  # noqa: S314  written by us
    assert (suite.get("failures"), suite.get("skipped")) == ("0", "0")


def test_names_from_data_break_no_output(sides, edit_record, capsys):
    for name in ("base", "worse"):
        edit_record(name, lambda record: record["model"].update(name="<b>|%0A::error::x\x1b[2J"))
    assert gate("--md", "out.md", "--junit", "out.xml", "--annotations", "github", head="worse") == 1
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert all(line.startswith("::error title=REGRESS") for line in out.splitlines() if line.startswith("::"))
    assert "<b>" not in Path("out.md").read_text()
    ElementTree.fromstring(Path("out.xml").read_text())  # noqa: S314  written by us


def test_explain_says_bounds_rule_and_what_would_change_it(sides, capsys):
    sides_of = ["--base", "base", "--head", "worse"]
    assert main(["gate", "explain", "miou", *sides_of]) == 0
    out = capsys.readouterr().out
    for what in ("40 changed", "bounds", "no margin", "exit code  1", "would turn it to"):
        assert what in out
    assert main(["gate", "explain", "miuo", *sides_of]) == 2
    assert "did you mean 'miou'" in capsys.readouterr().err


def test_a_plan_is_a_gates_file_that_its_own_runs_can_decide(sides, capsys):
    """The proposed margin is what an unchanged model passes with at this error."""
    assert main(["gate", "plan", "--base", "base", "--head", "worse", "--write", "plan.toml"]) == 0
    assert "groups for" in capsys.readouterr().out
    assert gate("--config", "plan.toml") == 0
    assert main(["gate", "plan", "--base", "base", "--head", "worse", "--write", "plan.toml"]) == 2


def test_the_schema_is_printed_and_sides_are_asked_for(desk, capsys):
    assert main(["gate", "--schema"]) == 0
    assert "GateSpec" in json.loads(capsys.readouterr().out)["$defs"]
    assert main(["gate", "--head", "x"]) == 2
    assert "add --base" in capsys.readouterr().err


LEDGER = """
[gate]
ledger = { file = "looks.jsonl", shares = [0.5, 0.5] }
[[gate.metric]]
select = "miou"
margin = "3.5pt"
"""


def test_the_ledger_counts_looks_at_a_change_and_lets_a_verdict_stand(sides, monkeypatch, capsys):
    """Other rows are another look, the same rows are not; after the shares nothing is proven; a new change is free."""
    for name in ("GITHUB_SHA", "CI_COMMIT_SHA"):
        monkeypatch.delenv(name, raising=False)
    Path("mmbench.toml").write_text(LEDGER)
    assert gate(head="worse") == 2
    assert "--change" in capsys.readouterr().err
    ours = ("--change", "abc", "--context", "release")
    assert [gate(*ours, head="worse") for _ in range(3)] == [3, 3, 3]
    assert len(Path("looks.jsonl").read_text().splitlines()) == 1
    sides.weigh(night=[10.0, 20.0, 48.0])
    sides.run("again")
    assert gate(*ours, head="again") == 3
    sides.weigh(night=[10.0, 29.5, 50.0])
    sides.run("green")
    capsys.readouterr()
    assert gate(*ours, head="green") == 3
    assert "the looks are spent" in " ".join(capsys.readouterr().out.split())
    assert gate("--change", "def", head="green") == 0
    capsys.readouterr()
    assert gate("--change", "def", "--json", head="worse") == 0
    (finding,) = json.loads(capsys.readouterr().out)["findings"]
    assert finding["says"] == "pass was found at an earlier look at this change and stands"


def test_a_regression_stands_whatever_a_rerun_shows_and_overrules_a_pass(sides, capsys):
    """A pass, then (the second look) a wreck, then unchanged rows again."""
    Path("mmbench.toml").write_text(LEDGER)
    sides.weigh(night=[10.0, 29.5, 50.0])
    sides.run("green")
    sides.weigh(night=[40.0, 50.0, 60.0])
    sides.run("wreck")
    assert [gate("--change", "abc", head=head) for head in ("green", "wreck", "head")] == [0, 1, 1]
    assert [gate("--change", "def", head=head) for head in ("wreck", "head")] == [1, 1]


def finding(capsys) -> dict:
    (found,) = json.loads(capsys.readouterr().out)["findings"]
    return found


def test_a_relative_margin_is_a_share_of_the_base(sides, capsys):
    """The drop is about 3.4 points of 85; 2 % are under it, 12 % over it."""
    capsys.readouterr()
    for margin, plus, code in (("2%", 0.0, 1), ("12%", 0.0, 0), ("2% + 8pt", 0.08, 0)):
        Path("mmbench.toml").write_text(MARGIN.format(margin=margin))
        assert gate("--json", head="worse") == code
        found = finding(capsys)
        assert found["margin"] == pytest.approx(float(margin.split("%")[0]) / 100 * found["base"] + plus)


def test_a_cluster_is_the_unit_of_resampling(sides, capsys):
    """Samples of one tag's value count once: eight clusters prove less than eighty samples."""

    def shots(rows: Rows) -> Rows:
        tags = tuple(
            {**tags, "shot": f"{int(i.split('_')[1]) // 10}"} for i, tags in zip(rows.ids, rows.tags, strict=True)
        )
        return Rows(rows.ids, rows.groups, tags, rows.values)

    for name in ("base", "worse"):
        edit_rows(name, shots)
    capsys.readouterr()
    found = {}
    for cluster in ("", "shot"):
        rule = f'[[gate.metric]]\nselect = "miou"\nmargin = "9pt"\ncluster = "{cluster}"\n'
        Path("mmbench.toml").write_text(rule)
        assert gate("--json", head="worse") == 0
        found[cluster] = finding(capsys)
    assert (found[""]["groups"], found["shot"]["groups"]) == (80, 8)
    assert found[""]["harm"] == pytest.approx(found["shot"]["harm"])
    assert found[""]["upper"] != found["shot"]["upper"]


@pytest.mark.parametrize(("cluster", "says"), [("shto", "no such tag (known: time)"), ("time", "divides the group")])
def test_a_cluster_that_is_none_is_refused(sides, capsys, cluster, says):
    """A tag that samples lack, and one that tears the suite's groups apart."""
    for name in ("base", "worse"):
        edit_rows(name, lambda rows: Rows(rows.ids, ("one",) * len(rows), rows.tags, rows.values))
    Path("mmbench.toml").write_text(f'[[gate.metric]]\nselect = "miou"\ncluster = "{cluster}"\n')
    assert gate(head="worse") == 2
    assert says in capsys.readouterr().err


def test_looks_share_alpha_in_the_ledger(sides, capsys):
    """The first of five looks has a tenth of alpha: what one look proves is not proven at it."""
    rule = '[gate]\n{looks}\nledger = {{ file = "{file}" }}\n[[gate.metric]]\nselect = "miou"\nmargin = "4.8pt"\n'
    capsys.readouterr()
    found = {}
    for looks in (1, 5):
        Path("mmbench.toml").write_text(rule.format(looks=f"looks = {looks}", file=f"{looks}.jsonl"))
        gate("--json", "--change", "abc", head="worse")
        found[looks] = finding(capsys)
    assert found[5]["upper"] > found[1]["upper"]
    assert (found[1]["status"], found[5]["status"]) == ("pass", "inconclusive")


def test_a_budget_widens_the_margins_of_a_plan_to_what_it_pays_for(sides, edit_record, capsys):
    """10 ms a sample and 0.2 s: 20 of the 80 groups, hence twice the margin; a rich budget changes nothing."""
    edit_record("worse", lambda record: record["cost"].update(ms_per_item=10.0))
    margins = {}
    for budget in (None, 0.2, 1000):
        line = "" if budget is None else f"budget_s = {budget}"
        Path("mmbench.toml").write_text(f'[gate]\n{line}\n[[gate.metric]]\nselect = "miou"\n')
        capsys.readouterr()
        assert main(["gate", "plan", "--base", "base", "--head", "worse", "--write", f"{budget}.toml"]) == 0
        out = " ".join(capsys.readouterr().out.split())
        assert ("pays for fewer groups than there are" in out) == (budget == 0.2)
        assert ("budget" in out) == (budget is not None)
        margins[budget] = read_spec(Path(f"{budget}.toml")).metric[0].margin
        assert read_spec(Path(f"{budget}.toml")).budget_s == budget
    assert margins[0.2] == pytest.approx(2 * margins[None], rel=0.05)
    assert margins[1000] == margins[None]
