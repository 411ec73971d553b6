"""Rank ranges of several runs on the same samples, from their rows."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from mmbench.core.metric import Metric, TaskContext
from mmbench.metrics.paired_rows import check_alike
from mmbench.metrics.rows import Rows
from mmbench.metrics.weighing import GroupedTable, replicates, values_of
from mmbench.stats import ranks
from mmbench.stats.paired import paired_difference


def rank_ranges(
    rows_of_each: Sequence[Rows],
    metric: Metric,
    context: TaskContext,
    *,
    draws: int = 1000,
    seed: int = 0,
    alpha: float = 0.05,
) -> list[tuple[int, int]]:
    """The rank range of each side by ``metric`` (not per class), paired: all sides get the same draws of groups.

    Samples are joined by id. Raises NotComparable unless all sides hold the same samples in the same groups and the
    rows of the metric's statistic. With one group, or where a score is undefined, no side is told apart.
    """
    tables = _joined(rows_of_each, metric)
    sign = 1.0 if metric.direction == "higher" else -1.0
    name = metric.statistic
    scores = [sign * float(values_of({name: table}, [metric], context)[metric.id][0]) for table in tables]
    # One seed and one number of groups: the same weights for all sides.
    found = [sign * replicates({name: table}, [metric], context, draws, seed)[metric.id] for table in tables]
    p_values = [
        paired_difference(scores[a], scores[b], (found[a], found[b]), tables[0].groups).p
        for a, b in combinations(range(len(tables)), 2)
    ]
    return ranks.rank_ranges(np.array(scores), np.array(p_values), alpha)


def _joined(sides: Sequence[Rows], metric: Metric) -> list[GroupedTable]:
    """The table of each side, the groups in the same order."""
    for side in sides:
        check_alike(sides[0], side, [metric.statistic])
    return [GroupedTable.of(side.values[metric.statistic], side.group_codes()) for side in sides]
