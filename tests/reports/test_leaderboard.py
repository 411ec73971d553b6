"""Unequal keys never share a column; newest wins; phi only where it means something."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.core.errors import LoadError, UnknownName, UsageError
from mmbench.reports.board import Place
from mmbench.reports.leaderboard import check_metrics, leaderboard

# Hypothesis takes no fixtures that are made per test.
MAKE = runpy.run_path(str(Path(__file__).with_name("records.py")))


def no_rows(record):
    raise LoadError("The rows are missing.")


def names(table):
    return [row.record.model.name for row in table.rows]


def primary(table, row):
    return row.cell(Place(table.columns[0].digest))


def test_equal_keys_share_a_table_best_first(build, board):
    found = board(build.run("a", 0.3), build.run("b", 0.9), build.run("c", 0.5))
    (table,) = found.tables
    assert names(table) == ["b", "c", "a"]
    assert found.refused == ()
    assert [c.metric for c in table.columns] == ["miou", "pixel_accuracy", "iou"]
    assert [c.per_class for c in table.columns] == [False, False, True]


@pytest.mark.parametrize(
    ("field", "value", "difference"),
    [
        ("data", "9999", "data: 2222 against 9999"),
        ("ids", "9999", "ids: 1111 against 9999"),
        ("version", 2, "version: 1 against 2"),
        ("split", "val", "split: test against val"),
        ("inference", {"mode": "slide"}, "inference: {'mode': 'whole'} against {'mode': 'slide'}"),
    ],
)
def test_unequal_keys_are_kept_apart_and_the_field_is_named(build, board, field, value, difference):
    same = [build.run("a"), build.run("b")]
    other = build.run("c", key=build.key(**{field: value}))
    found = board(other, *same)
    assert sorted(map(names, found.tables)) == [["a", "b"], ["c"]]
    assert len({table.columns[0].digest for table in found.tables}) == 2
    (refusal,) = found.refused
    assert refusal.differences == (difference,)
    assert str(refusal) == (f"miou of {same[1].id} and of {other.id} cannot be compared, they differ in {difference}.")


def test_versions_of_a_metric_get_columns_of_their_own(build, board):
    new = build.run("new", key=build.key(metrics={"miou": 2, "pixel_accuracy": 1, "iou": 1}), time=2)
    new = new.model_copy(update={"estimates": (build.estimate(version=2), build.estimate("pixel_accuracy"))})
    found = board(build.run("old"), new)
    (table,) = found.tables
    columns = [(c.metric, c.version) for c in table.columns]
    assert sorted(columns) == [("iou", 1), ("miou", 1), ("miou", 2), ("pixel_accuracy", 1)]
    for row in table.rows:
        assert sum(row.cell(Place(c.digest)) is not None for c in table.columns if c.metric == "miou") == 1
    assert [r.differences for r in found.refused] == [("metric: miou@2 against miou@1",)]


@pytest.mark.parametrize(
    "asked", [{"parameters": {"regime": "R"}}, {"suite": "other"}, {"subset": "n=5"}, {"condition": "x"}]
)
def test_what_was_asked_for_differently_is_another_table_and_no_refusal(build, board, asked):
    found = board(build.run("a"), build.run("b", key=build.key(**asked)))
    assert len(found.tables) == 2
    assert found.refused == ()


def test_the_newest_run_of_a_model_wins_and_the_others_are_counted(build, board):
    runs = [build.run("a", value, time=time) for time, value in ((2, 0.2), (9, 0.9), (5, 0.5))]
    ((row,),) = (table.rows for table in board(*runs).tables)
    assert row.record == runs[1]
    assert row.superseded == 2


def test_a_run_found_twice_is_one_run(build, board):
    ((row,),) = (table.rows for table in board(build.run("a"), build.run("a")).tables)
    assert row.superseded == 0


@pytest.mark.parametrize(
    "change",
    [
        {"model": {"digest": "other weights"}},
        {"model": {"preprocessing": {"size": [64, 64]}}},
        {"execution": {"batch_size": 1, "device": "cpu", "precision": "fp32", "threads": 2}},
        {"execution": {"batch_size": 16, "device": "cuda", "precision": "fp32", "threads": 2}},
    ],
)
def test_other_weights_preprocessing_or_execution_are_another_row(build, board, change):
    (table,) = board(build.run("a", time=1), build.run("a", time=2, **change)).tables
    assert len(table.rows) == 2


def test_without_a_digest_of_weights_the_name_identifies(build, board):
    (table,) = board(build.run("a", model={"digest": ""}), build.run("b", model={"digest": ""})).tables
    assert names(table) == ["a", "b"]


def test_phi_maps_the_interval_end_by_end(build, board):
    (table,) = board(build.run("a", 0.82)).tables
    cell = primary(table, table.rows[0])
    assert (cell.phi.value, cell.phi.low, cell.phi.high) == pytest.approx((0.5, 0.16 / 0.36, 0.2 / 0.36))
    assert (cell.regret.value, cell.regret.low, cell.regret.high) == pytest.approx((0.18, 0.16, 0.2))
    assert cell.psi is None


def test_phi_is_absent_where_the_gap_is_small_and_regret_stays(build, board):
    small = build.bounds(unimodal={"rgb": 0.69, "depth": 0.7}, fused=0.72)
    (table,) = board(build.run("a", 0.5, bounds=(small,))).tables
    cell = primary(table, table.rows[0])
    assert cell.phi is None
    assert cell.regret.value == pytest.approx(0.22)


def test_psi_only_where_the_additive_bound_is_certified(build, board):
    (table,) = board(build.run("a", 0.9, bounds=(build.bounds(additive=0.8),))).tables
    cell = primary(table, table.rows[0])
    assert cell.psi.value == pytest.approx(0.5)
    assert [b.kind for b in table.bounds] == ["chance", "unimodal", "unimodal", "additive", "fused"]


def test_without_bounds_there_are_no_shares(build, board):
    (table,) = board(build.run("a", bounds=())).tables
    cell = primary(table, table.rows[0])
    assert (cell.phi, cell.psi, cell.regret, table.bounds) == (None, None, None, ())


def test_an_undefined_score_has_no_share_and_stands_last(build, board):
    (table,) = board(build.run("a", None), build.run("b", 0.01)).tables
    assert names(table) == ["b", "a"]
    cell = primary(table, table.rows[1])
    assert (cell.estimate.value, cell.phi, cell.regret, cell.rank) == (None, None, None, None)


def test_bounds_of_a_metric_that_no_run_holds_are_left_out(build, board):
    (table,) = board(build.run("a", bounds=(build.bounds("other"),))).tables
    assert table.bounds == ()


def test_rank_ranges_come_from_the_rows(build, rows_of):
    """100 wrong of 200 is worse beyond doubt; 10 and 11 wrong cannot be told apart."""
    runs = {"good": (0.95, 10), "near": (0.94, 11), "bad": (0.5, 100)}
    records = {name: build.run(name, value) for name, (value, _) in runs.items()}
    wrong = {records[name].id: count for name, (_, count) in runs.items()}
    (table,) = leaderboard(records.values(), lambda record: rows_of(wrong[record.id])).tables
    ranks = {row.record.model.name: primary(table, row).rank for row in table.rows}
    assert ranks == {"good": (1, 2), "near": (1, 2), "bad": (3, 3)}
    assert table.notes == ()


def test_without_rows_nothing_is_ranked_and_the_reason_is_given(build, board):
    (table,) = board(build.run("a"), build.run("b")).tables
    assert [primary(table, row).rank for row in table.rows] == [None, None]
    (note,) = table.notes
    assert note.startswith("2 of 2 runs are not ranked: The rows of 20250101T000001Z-seg-")


def test_a_run_with_other_samples_or_groups_is_not_ranked(build, rows_of):
    records = [build.run(name) for name in ("a", "b", "short", "grouped")]
    rows = dict(zip("abcd", [rows_of(5), rows_of(90), rows_of(5, ids=150), rows_of(5, groups=20)], strict=True))
    places = {record.id: letter for record, letter in zip(records, "abcd", strict=True)}
    (table,) = leaderboard(records, lambda record: rows[places[record.id]]).tables
    ranks = {row.record.model.name: primary(table, row).rank for row in table.rows}
    assert ranks == {"a": (1, 1), "b": (2, 2), "short": None, "grouped": None}
    assert table.notes == ("2 of 4 runs are not ranked: they did not score the same samples.",)


def test_one_run_alone_is_first(build, board):
    (table,) = board(build.run("a")).tables
    assert primary(table, table.rows[0]).rank == (1, 1)


@pytest.mark.parametrize(("metric", "version"), [("unheard_of", 1), ("miou", 99)])
def test_a_metric_that_is_not_installed_is_not_ranked(build, board, metric, version):
    key = build.key(metrics={metric: version})
    estimates = (build.estimate(metric, version=version),)
    runs = [build.run(name, primary=metric, estimates=estimates, key=key) for name in "ab"]
    (table,) = board(*runs).tables
    assert primary(table, table.rows[0]).rank is None
    assert "Not ranked" in table.notes[0]


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("score", ["b", "a", "c"]),
        ("model", ["a", "b", "c"]),
        ("parameters", ["c", "b", "a"]),
        ("ms", ["a", "c", "b"]),
        ("loss", ["c", "a", "b"]),
    ],
)
def test_sorting(build, board, sort, order):
    def run(name, value, parameters, ms, loss):
        estimates = (build.estimate("miou", value), build.estimate("loss", loss, direction="lower"))
        cost = build.run().cost.model_copy(update={"ms_per_item": ms})
        key = build.key(metrics={"miou": 1, "loss": 1})
        return build.run(name, estimates=estimates, cost=cost, key=key, model={"parameters": parameters})

    runs = run("a", 0.5, None, 1.0, 0.2), run("b", 0.9, 20, None, 0.3), run("c", None, 10, 2.0, 0.1)
    (table,) = board(*runs, sort=sort).tables
    assert names(table) == order


def test_an_unknown_sort_lists_what_there_is(build, board):
    with pytest.raises(
        UsageError, match="Cannot sort by 'beauty'; expected one of: score, model, parameters, ms, miou"
    ):
        board(build.run("a"), sort="beauty")


def test_a_metric_that_no_run_measured_is_unknown(build, board):
    found = board(build.run("a"))
    check_metrics(found, ["iou", "miou"])
    with pytest.raises(UnknownName, match=r"There is no measured metric named 'mious'; did you mean 'miou'"):
        check_metrics(found, ["mious"])


@given(st.permutations(range(6)))
def test_the_order_in_which_runs_are_found_means_nothing(order):
    """Property: any permutation of the records gives the same leaderboard."""
    keys = [MAKE["key"](), MAKE["key"](data="9999")]
    runs = [MAKE["run"](f"m{i % 4}", 0.1 * i, time=i, key=keys[i % 3 == 0]) for i in range(6)]
    assert leaderboard([runs[i] for i in order], no_rows) == leaderboard(runs, no_rows)
