"""Scores of several trainings, and their differences, on the same test samples: what may be claimed of them.

With three seeds or more an interval speaks of new trainings and new samples (``stats.seeds.two_way``). With fewer it
speaks of these trained models on new samples, and says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from mmbench.core.metric import Metric, TaskContext
from mmbench.metrics.paired_rows import check_alike
from mmbench.metrics.rows import Rows
from mmbench.metrics.weighing import GroupedTable, left_out_values, values_of
from mmbench.stats.intervals import student_interval
from mmbench.stats.jackknife import Jackknife
from mmbench.stats.seeds import TwoWay, two_way
from mmbench.study.design import FEWEST_SEEDS

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Ranged:
    """A value with its interval; the ends are None where there is none."""

    value: float
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Contrast:
    """A difference of two strategies, positive where the first is better; ``p`` is two-sided, of this one alone."""

    ranged: Ranged
    p: float
    measured: TwoWay


def jackknives(sides: Sequence[Rows], metric: Metric, context: TaskContext) -> list[Jackknife]:
    """The score of each training and its scores without each group of samples, the same groups for all.

    Turned so that higher is better. Raises NotComparable unless all hold the same samples.
    """
    found = []
    for rows in sides:
        check_alike(sides[0], rows, [metric.statistic])
        ordered = rows.select(np.argsort(np.array(rows.ids)))
        tables = {metric.statistic: GroupedTable.of(ordered.values[metric.statistic], ordered.group_codes())}
        value = values_of(tables, [metric], context)[metric.id][0]
        left_out = left_out_values(tables, [metric], context)[metric.id]
        sign = 1.0 if metric.direction == "higher" else -1.0
        found.append(Jackknife(sign * float(value), sign * left_out))
    return found


def score(side: Sequence[Jackknife], limits: tuple[float, float]) -> Ranged:
    """The mean over the seeds of one strategy, its interval inside what the metric can be."""
    return _ranged(_measured([side], [1.0]), limits)


def contrast(first: Sequence[Jackknife], second: Sequence[Jackknife]) -> Contrast:
    """First minus second.

    The trainings of two strategies are taken as independent. They share the order of the data by seed, which correlates
    them positively if at all: the interval is then too wide, not too narrow.
    """
    measured = _measured([first, second], [1.0, -1.0])
    return Contrast(_ranged(measured), measured.p, measured)


def excess(side: Sequence[Jackknife], constant: float) -> Contrast:
    """The mean over the seeds of one strategy minus a number that is known."""
    found = _measured([side], [1.0])
    measured = replace(found, value=found.value - constant)
    return Contrast(_ranged(measured), measured.p, measured)


def _measured(sides: Sequence[Sequence[Jackknife]], signs: Sequence[float]) -> TwoWay:
    if min(len(side) for side in sides) >= FEWEST_SEEDS:
        return two_way(sides, signs)
    means = [_mean(side) for side in sides]
    joint = Jackknife(
        float(np.dot(signs, [mean.value for mean in means])),
        np.sum([sign * mean.left_out for sign, mean in zip(signs, means, strict=True)], axis=0),
    )
    return TwoWay(joint.value, joint.error, joint.groups - 1.0, 0.0)


def _mean(side: Sequence[Jackknife]) -> Jackknife:
    """The mean of these trainings, as one value of the samples."""
    return Jackknife(float(np.mean([seed.value for seed in side])), np.mean([seed.left_out for seed in side], axis=0))


def _ranged(measured: TwoWay, limits: tuple[float, float] = (-inf, inf)) -> Ranged:
    found = student_interval(measured.value, measured.error, measured.degrees, LEVEL).clipped(*limits)
    return Ranged(measured.value, *(found.bounds or (None, None)))
