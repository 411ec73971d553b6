"""Metrics of both kinds under weights: a draw is a literal repetition of samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.core.metric import Metric, TaskContext
from mmbench.core.table import Ragged, select
from mmbench.metrics.weighing import GroupedTable, replicates

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
        alone = GroupedTable.of(repeated, np.arange(len(index)))
        found = GroupedTable.of(table, CODES).values(metric, drawn, CONTEXT)
        assert found[0] == pytest.approx(float(alone.value(metric, CONTEXT)), abs=1e-12)


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
        GroupedTable.of(NUMBERS, CODES).value(SUMS, CONTEXT)
