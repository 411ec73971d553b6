"""``mmbench compare``: what changed on the same samples, and what may not be compared."""

from __future__ import annotations

import csv
import json
from dataclasses import fields

import pytest

from mmbench.cli.main import main
from mmbench.reports.comparison import Change


@pytest.fixture
def two(desk):
    """A run with good weights (a), one whose night shades are damaged (b)."""
    assert desk.run("a") == 0
    desk.weigh(night=[10.0, 20.0, 50.0])
    assert desk.run("b") == 0
    return desk


def changes(capsys) -> dict[tuple[str, str, str], dict]:
    (comparison,) = json.loads(capsys.readouterr().out)["comparisons"]
    return {(c["metric"], c["label"], c["slice"]): c for c in comparison["changes"]}


def test_the_change_is_that_of_the_two_records(two, capsys):
    """Values are those of the runs' own estimates, over all samples, of each class and of each slice."""
    capsys.readouterr()
    assert main(["compare", "a", "b", "--json"]) == 0
    found = changes(capsys)
    records = [json.loads(next((two.folder / name).rglob("record.json")).read_text()) for name in ("a", "b")]
    for name, record in zip(("base", "head"), records, strict=True):
        values = {(e["metric"], e["label"], e["slice"]): e["value"] for e in record["estimates"]}
        assert {key: c[name] for key, c in found.items()} == pytest.approx(values, abs=1e-12)
    whole = found["miou", "", ""]
    assert whole["low"] < whole["change"] < whole["high"] < 0
    assert (whole["n"], whole["changed"], whole["method"]) == (80, 40, "jackknife-t")
    assert found["miou", "", "day"]["changed"] == 0 == found["miou", "", "day"]["change"]
    assert found["miou", "", "night"]["p"] < 0.001


def test_the_screen_shows_slices_and_the_samples_that_moved(two, capsys):
    capsys.readouterr()
    assert main(["compare", "a", "b", "--csv", "out.csv"]) == 0
    out = capsys.readouterr().out
    assert "time=night" in out
    assert "40/80" in out
    assert "Samples that moved miou most: night_" in out
    lines = list(csv.DictReader((two.folder / "out.csv").read_text().splitlines()))
    assert list(lines[0]) == [field.name for field in fields(Change)]
    assert {line["label"] for line in lines} == {"", "a", "b", "c"}


def test_several_runs_are_compared_with_the_first(two, capsys):
    capsys.readouterr()
    assert main(["compare", "a", "b", "a", "--json"]) == 0
    first, second = json.loads(capsys.readouterr().out)["comparisons"]
    assert first["base"] == second["base"] == second["head"]
    assert all(c["change"] == 0 and c["p"] == 1 for c in second["changes"])


@pytest.mark.parametrize(
    ("field", "value"), [("data", "other"), ("condition", "dark"), ("inference", {"mode": "tiles"}), ("version", 2)]
)
def test_unequal_keys_are_refused_and_the_field_is_named(two, edit_record, capsys, field, value):
    edit_record("b", lambda record: record["key"].update({field: value}))
    assert main(["compare", "a", "b"]) == 4
    assert f"{field}: " in capsys.readouterr().err


def test_another_metric_version_is_refused(two, edit_record, capsys):
    edit_record("b", lambda record: record["key"]["metrics"].update(miou=2))
    assert main(["compare", "a", "b"]) == 4
    assert "miou@1 against miou@2" in capsys.readouterr().err
    edit_record("a", lambda record: record["key"]["metrics"].update(miou=2))
    assert main(["compare", "a", "b"]) == 4
    assert "installed is miou@1" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [(["a", "b", "--fusion"], "mmbench study"), (["a"], "two runs or more"), (["a", "nothing"], "no run 'nothing'")],
)
def test_wrong_use_is_named(two, capsys, arguments, says):
    capsys.readouterr()
    assert main(["compare", *arguments]) == 2
    assert says in capsys.readouterr().err
