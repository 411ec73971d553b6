"""The CSV is long, documented, stable, and holds everything with full precision."""

from __future__ import annotations

import csv
import io

import pandas
import pytest

from mmbench.cli import leaderboard as verb
from mmbench.core.registry import report
from mmbench.reports.board import View
from mmbench.reports.tidy import COLUMNS

PINNED = [
    *("suite", "task", "condition", "line", "model", "modalities", "metric", "version", "direction", "primary"),
    *("label", "tag", "slice", "value", "low", "high", "level", "method", "estimand", "n", "groups", "classes_absent"),
    *("flags", "reason", "rank_first", "rank_last", "phi", "phi_low", "phi_high", "psi", "psi_low", "psi_high"),
    *("regret", "regret_low", "regret_high", "parameters", "ms_per_item", "peak_rss_mib", "planned", "scored"),
    *("failed", "status", "batch_size", "device", "precision", "threads", "superseded", "weights", "run", "column"),
    *("licence", "sub_batch", "compiled", "channels_last", "peak_device_mib", "seconds"),
]


def render(board):
    return report.get("csv")(board, View())


def lines(board):
    return list(csv.DictReader(io.StringIO(render(board))))


def test_columns_are_pinned_and_documented():
    """Renaming or moving a column breaks spreadsheets: it needs a reason, and the docstring of the verb."""
    assert list(COLUMNS) == PINNED
    assert all(COLUMNS.values())
    documented = (verb.__doc__ or "").partition("description:\n\n")[2].replace("\n", " ").rstrip(". \n")
    assert [name.strip() for name in documented.split(",")] == PINNED


def test_one_line_per_model_metric_class_and_slice_and_per_bound(build, board):
    found = lines(board(build.run("a"), build.run("b")))
    places = [(x["line"], x["model"], x["metric"], x["label"], x["tag"], x["slice"]) for x in found]
    per_model = [("miou", "", "", ""), ("pixel_accuracy", "", "", ""), ("miou", "", "regime", "S4")]
    per_model += [("iou", label, "", "") for label in ("background", "a", "b")]
    expected = [("model", model, *place) for model in "ab" for place in per_model]
    expected += [
        (kind, m, "miou", "", "", "") for kind, m in (("chance", ""), ("unimodal", "rgb"), ("unimodal", "depth"))
    ]
    assert places == [*expected, ("fused", "", "miou", "", "", "")]
    assert len(set(places)) == len(places)


def test_a_view_hides_nothing(build, board):
    found = board(build.run("a"))
    views = View(), View(metrics=("iou",), slices=True, per_class=True, width=20, colour=True)
    assert report.get("csv")(found, views[0]) == report.get("csv")(found, views[1])


def test_a_bound_line_holds_the_bound_and_what_it_is_comparable_with(build, board):
    first, *_, last = lines(board(build.run("a")))
    filled = {name: value for name, value in last.items() if value}
    assert filled.pop("column") == first["column"]
    assert filled == {
        "suite": build.SUITE,
        "task": "segmentation",
        "condition": "clean",
        "line": "fused",
        "metric": "miou",
        "version": "1",
        "direction": "higher",
        "primary": "1",
        "value": "1.0",
        "licence": "Apache-2.0",
    }


def test_floats_read_back_equal(build, board):
    """0.1 + 1/3 has 17 digits; Python and pandas must get the same float back."""
    text = render(board(build.run("a", 1 / 3)))
    estimates = {e.metric: e for e in build.run("a", 1 / 3).estimates if not e.tag and not e.label}
    # Older pandas read floats exactly on request only, newer ones warn of the request.
    exact = {} if int(pandas.__version__.partition(".")[0]) >= 3 else {"float_precision": "round_trip"}
    frame = pandas.read_csv(io.StringIO(text), **exact)
    for line, (_, row) in zip(csv.DictReader(io.StringIO(text)), frame.iterrows(), strict=True):
        if line["line"] == "model" and not line["tag"] and not line["label"]:
            for name in ("value", "low", "high"):
                expected = getattr(estimates[line["metric"]], name)
                assert float(line[name]) == expected
                assert row[name] == expected
    assert frame["n"].dropna().eq(frame["n"].dropna().astype(int)).all()


def test_undefined_is_empty_and_has_its_reason(build, board):
    line = lines(board(build.run("a", None)))[0]
    assert (line["value"], line["low"], line["phi"], line["reason"]) == ("", "", "", "no class occurs")


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0"])
def test_a_spreadsheet_takes_no_text_for_a_formula(build, board, start):
    found = lines(board(build.run(start)))
    assert found[0]["model"] == f"'{start}"


def test_negative_numbers_stay_numbers(build, board):
    line = lines(board(build.run("a", 0.1)))[0]
    assert float(line["phi"]) == pytest.approx((0.1 - 0.64) / 0.36)
    assert line["phi"].startswith("-")


@pytest.mark.parametrize("name", ['quo"te', "com,ma", "semi;colon", "模型", " space "])
def test_awkward_names_read_back(build, board, name):
    assert lines(board(build.run(name)))[0]["model"] == name


def test_control_characters_are_codes(build, board):
    text = render(board(build.run("a\x1b[31m\nb\r")))
    assert lines(board(build.run("a\x1b[31m\nb\r")))[0]["model"] == r"a\x1b[31m\nb\r"
    assert not set(text) & {"\x1b", "\r"}


def test_same_runs_same_bytes(build, board):
    runs = [build.run(name, value, time=time) for name, value, time in (("a", 0.5, 1), ("b", 0.5, 2), ("a", 0.7, 3))]
    assert render(board(*runs)) == render(board(*reversed(runs)))


def test_uncomparable_values_have_different_columns(build, board):
    found = lines(board(build.run("a"), build.run("b", key=build.key(data="9999"))))
    columns = {line["model"]: line["column"] for line in found if line["metric"] == "miou" and line["line"] == "model"}
    assert columns["a"] != columns["b"]
