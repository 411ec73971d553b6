"""Which samples moved a metric that is no function of sums: literal exchanges, and the most moving ones among many."""

from __future__ import annotations

import numpy as np
import pytest

from mmbench.core import table as tables
from mmbench.core.metric import Metric, TaskContext, metric_named
from mmbench.core.prediction import ClassScores
from mmbench.core.table import Ragged
from mmbench.metrics import contributions as module
from mmbench.metrics.contributions import contributions
from mmbench.metrics.paired_rows import PairedRows
from mmbench.metrics.rows import Rows
from mmbench.metrics.scoring import tables_of
from mmbench.reports.comparison import largest

RANKING = "class_ranking"
CONTEXT = TaskContext(("a", "b", "c"), None)


def rows_of(table: tables.Table, name: str) -> Rows:
    ids = tuple(f"s{i:04d}" for i in range(len(table)))
    return Rows(ids, ids, ({},) * len(table), {name: table})


def ranked(n: int, seed: int, changed: list[int]) -> PairedRows:
    """Class scores of n samples on both sides, other ones of the samples ``changed``."""
    random = np.random.default_rng(seed)
    labels = [int(label) for label in random.integers(0, 3, n)]
    scores = random.random((n, 3)) + np.eye(3)[labels] * 0.3
    other = scores.copy()
    other[changed] = random.random((len(changed), 3))
    sides = []
    for side in (scores, other):
        predictions = [ClassScores(str(i), row) for i, row in enumerate(side)]
        sides.append(
            rows_of(tables_of(labels, predictions, ["class_ranking"], CONTEXT)["class_ranking"], "class_ranking")
        )
    return PairedRows.of(*sides, [RANKING])


def literal(pair: PairedRows, metric: Metric, index: int) -> float:
    """The metric of the base's table with one row of the head's, less that of the base's."""
    base, head = pair.base.values[metric.statistic], pair.head.values[metric.statistic]
    n = len(base)
    order = np.arange(n)
    order[index] = n + index
    mixed = tables.select(tables.concatenate([base, head]), order)
    ones = np.ones((1, n))
    return float(metric.value(mixed, ones, CONTEXT)[0] - metric.value(base, ones, CONTEXT)[0])


@pytest.mark.parametrize("name", ["auroc", "average_precision"])
def test_a_weighted_metric_is_evaluated_with_each_changed_sample_exchanged(name: str) -> None:
    changed = [3, 17, 40]
    pair = ranked(60, 0, changed)
    found = contributions(pair, metric_named(name), CONTEXT)
    assert found is not None
    assert np.flatnonzero(found).tolist() == changed
    assert found[changed] == pytest.approx([literal(pair, metric_named(name), index) for index in changed], abs=1e-12)


def test_a_joint_metric_of_ragged_rows_too() -> None:
    """Here the share of the values over 0.5; each sample owns none, one or two of them."""

    def value(table: Ragged, weights: np.ndarray, _: TaskContext, names: list[str]) -> dict[str, np.ndarray]:
        drawn = weights[:, table.owners]
        return {name: (drawn * (table.values[:, 0] > 0.5)).sum(1) / drawn.sum(1) for name in names}

    metric = Metric("share", 1, "r", "t", value, kind="joint")
    starts = np.array([0, 2, 2, 3])
    base = rows_of(Ragged(np.array([[0.9], [0.1], [0.9]]), starts), "r")
    head = rows_of(Ragged(np.array([[0.1], [0.1], [0.9]]), starts), "r")
    found = contributions(PairedRows.of(base, head, ["r"]), metric, CONTEXT)
    assert found == pytest.approx([-1 / 3, 0, 0])


def test_of_many_changed_samples_the_most_moving_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """In two rounds of at most 40 exchanges instead of 400; what is told is still the exchange of that sample alone."""
    monkeypatch.setattr(module, "MOST_EXCHANGES", 40)
    n = 400
    scores = np.stack([np.full(n, 0.0), np.ones(n)], axis=1)
    other = scores.copy()
    other[:, 0] += np.random.default_rng(0).normal(0, 1e-3, n)
    other[[57, 311], 0] = (-50.0, -30.0)
    calls = []

    def value(table: np.ndarray, weights: np.ndarray, _: TaskContext) -> np.ndarray:
        calls.append(len(weights))
        return (weights @ table[:, 0]) / (weights @ table[:, 1])

    metric = Metric("mean", 1, "x", "t", value, kind="weighted")
    pair = PairedRows.of(rows_of(scores, "x"), rows_of(other, "x"), ["x"])
    found = contributions(pair, metric, CONTEXT)
    assert found is not None
    assert [sample.id for sample in largest(pair, "mean", found, 2)] == ["s0057", "s0311"]
    assert found[[57, 311]] == pytest.approx([-50 / n, -30 / n])
    assert sum(calls) <= 2 * (40 + 1)


def test_training_seeds_are_averaged() -> None:
    pair, other = ranked(40, 1, [5]), ranked(40, 1, [5, 9])
    both = PairedRows.of_seeds([pair.base, other.base], [pair.head, other.head], [RANKING])
    metric = metric_named("auroc")
    parts = [contributions(one, metric, CONTEXT) for one in (pair, other)]
    assert contributions(both, metric, CONTEXT) == pytest.approx(np.mean(parts, axis=0))


def test_a_metric_per_class_has_none() -> None:
    assert contributions(ranked(10, 0, [1]), metric_named("class_f1"), CONTEXT) is None
