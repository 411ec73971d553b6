"""Metrics of both kinds under weights: a draw is a literal repetition of samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.core.metric import Metric, TaskContext
from mmbench.core.table import Ragged, select
from mmbench.metrics.weighing import GroupedTable, replicates, values_of

CONTEXT = TaskContext((), None)


def mean_of_values(table, weights, context):
    """The weighted mean over all values of all samples: ragged rows, weights of samples."""
    values = table.values[:, 0] if isinstance(table, Ragged) else table[:, 0]
    owned = weights[:, table.owners] if isinstance(table, Ragged) else weights
    return owned @ values / owned.sum(axis=1)


def ratio(sums, context):
    return sums[..., 0] / sums[..., 1]


WEIGHTED = Metric("mean", 1, "numbers", "toy", mean_of_values, kind="weighted")
SUMS = Metric("ratio", 1, "pairs", "toy", ratio)
NUMBERS = Ragged(np.array([[1.0], [4.0], [2.0], [8.0], [5.0]]), np.array([0, 2, 3, 3, 5]))
PAIRS = np.array([[1, 2], [2, 3], [0, 1], [5, 7]], dtype=np.int64)
CODES = np.array([0, 1, 1, 2])


@given(st.lists(st.integers(0, 3), min_size=3, max_size=3).filter(lambda w: w[0] or w[2]))
def test_weights_are_repetitions(weights):
    """Of a group that is drawn twice every sample is there twice."""
    index = np.array([i for i, code in enumerate(CODES) for _ in range(weights[code])], np.intp)
    drawn = np.array([weights], float)
    for metric, table in ((WEIGHTED, NUMBERS), (SUMS, PAIRS)):
        repeated = select(table, index)
        alone = values_of({metric.statistic: GroupedTable.of(repeated, np.arange(len(index)))}, [metric], CONTEXT)
        found = values_of({metric.statistic: GroupedTable.of(table, CODES)}, [metric], CONTEXT, drawn)
        assert found[metric.id] == pytest.approx(alone[metric.id], abs=1e-12)


def test_both_kinds_see_the_same_draws():
    """A metric of sums, written as a weighted one, gives the same replicates."""
    same = Metric("again", 1, "pairs", "toy", lambda t, w, _: (w @ t)[:, 0] / (w @ t)[:, 1], kind="weighted")
    tables = {"pairs": GroupedTable.of(PAIRS, CODES)}
    found = replicates(tables, [SUMS, same], CONTEXT, 300, seed=4)
    np.testing.assert_allclose(found["ratio"], found["again"], rtol=1e-12)
    assert len(np.unique(found["ratio"])) > 3


def test_the_cut_into_chunks_changes_nothing(monkeypatch):
    tables = {"numbers": GroupedTable.of(NUMBERS, CODES)}
    whole = replicates(tables, [WEIGHTED], CONTEXT, 50, seed=1)["mean"]
    monkeypatch.setattr("mmbench.metrics.weighing._CHUNK", 8)
    np.testing.assert_array_equal(replicates(tables, [WEIGHTED], CONTEXT, 50, seed=1)["mean"], whole)


def test_ragged_rows_are_not_summed():
    with pytest.raises(TypeError, match="has ragged ones"):
        values_of({"pairs": GroupedTable.of(NUMBERS, CODES)}, [SUMS], CONTEXT)


def test_joint_metrics_are_computed_in_one_call():
    """Two figures of one function: it is called once for each chunk, and gives each what it gives alone."""
    calls = []

    def figures(table, weights, _, names):
        calls.append(tuple(names))
        return {name: mean_of_values(table, weights, None) * (2 if name == "double" else 1) for name in names}

    single, double = (Metric(name, 1, "numbers", "toy", figures, kind="joint") for name in ("single", "double"))
    tables = {"numbers": GroupedTable.of(NUMBERS, CODES)}
    found = values_of(tables, [single, double], CONTEXT)
    assert calls == [("single", "double")]
    assert found["double"] == 2 * found["single"] == 2 * values_of(tables, [single], CONTEXT)["single"]
