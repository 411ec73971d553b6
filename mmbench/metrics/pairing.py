"""Two sides on the same samples: each metric on both, with what a test of their difference reads.

Base and head are named as in a pull request. A *change* is head - base; a *harm* is oriented so that positive is worse.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmbench.core.metric import Floats, Metric, TaskContext
from mmbench.metrics.means import is_share, kind_of, sample_scores
from mmbench.metrics.paired_rows import PairedRows
from mmbench.metrics.rows import Rows
from mmbench.metrics.weighing import GroupedTable, left_out_values, values_of
from mmbench.stats import methods
from mmbench.stats.decisions import BinaryHarm, Harm, SignFlipHarm, StudentHarm
from mmbench.stats.intervals import Interval, student_interval
from mmbench.stats.jackknife import Jackknife, difference
from mmbench.stats.methods import Kind, Method, choose_method
from mmbench.stats.paired import jackknife_difference
from mmbench.stats.permutation import TypicalValues
from mmbench.stats.power import discordance_error
from mmbench.stats.proportions import mcnemar_p
from mmbench.stats.resampling import group_sums
from mmbench.stats.seeds import TwoWay, two_way

# Below this many groups the harm of a mean is tested by flipping the signs of groups.
FEW_GROUPS = 30


@dataclass(frozen=True, slots=True, eq=False)
class PairedScore:
    """A metric (or one class of it, ``label``) on both sides: value and jackknife over the same groups.

    ``changed`` of ``samples`` have other rows. ``right``: samples that are right (score 1) on the base alone and on the
    head alone, for a proportion. ``totals``: float64 [G] sums of head - base and sizes of the groups, for a mean.
    ``seeds``: the jackknives of each training seed of base and head, where there are several; ``base`` and ``head`` are
    then their means.
    """

    metric: Metric
    label: str
    kind: Kind
    base: Jackknife
    head: Jackknife
    samples: int
    groups: int
    changed: int
    right: tuple[int, int] | None = None
    totals: tuple[Floats, Floats] | None = None
    seeds: tuple[tuple[Jackknife, ...], tuple[Jackknife, ...]] | None = None

    @property
    def change(self) -> Jackknife:
        """Head - base."""
        return difference(self.head, self.base)

    @property
    def method(self) -> Method:
        """How the interval of the change is computed (``stats.methods.choose_method``)."""
        seeds = 1 if self.seeds is None else min(map(len, self.seeds))
        return choose_method(self.kind, "difference", samples=self.samples, groups=self.groups, seeds=seeds)

    @property
    def estimand(self) -> str:
        """What the change is an estimate of."""
        drawn = "" if self.seeds is None else ", and over new training seeds of both sides"
        return f"change of: {self.metric.estimand}{drawn}"

    @property
    def error(self) -> float:
        """Standard error of the change; NaN where nothing can be said."""
        if self.seeds is not None:
            return self._two_way.error
        if self.right is not None and self.groups > 1:
            return discordance_error(sum(self.right) / self.samples, self.samples, self.change.value)
        return self.change.error

    @property
    def p(self) -> float:
        """Two-sided p of "no change": McNemar's exact test of a proportion, else Student's t."""
        if self.seeds is not None:
            harm = self.harm()
            return 1.0 if self.changed == 0 else min(1.0, 2 * min(harm.p_over(0.0), harm.p_under(0.0)))
        if self.right is not None:
            return mcnemar_p(*self.right)
        return jackknife_difference(self.head, self.base).p

    def interval(self, level: float) -> Interval:
        """Of the change."""
        if self.method is Method.TWO_WAY_T:
            found = self._two_way
            return student_interval(found.value, found.error, found.degrees, level)
        pairs = None if self.right is None else (self.right[1], self.right[0], self.samples)
        return methods.interval(self.method, level, jackknife=self.change, pairs=pairs)

    def harm(self) -> Harm:
        """What a gate tests: the change, turned so that positive is worse."""
        sign = -1.0 if self.metric.direction == "higher" else 1.0
        if self.right is not None and self.groups > 1:
            losses, gains = self.right if sign < 0 else self.right[::-1]
            return BinaryHarm(losses, gains, self.samples)
        if self.totals is not None and 1 < self.groups < FEW_GROUPS:
            sums, sizes = self.totals
            return SignFlipHarm(sign * self.change.value, TypicalValues.of(sign * sums, sizes))
        if self.seeds is not None:
            found = self._two_way
            return StudentHarm(sign * found.value, found.error, found.degrees, self.groups)
        change = self.change
        skew = sign * change.acceleration if change.error > 0 else 0.0
        return StudentHarm(sign * change.value, change.error, change.groups - 1, change.groups, skew)

    @property
    def _two_way(self) -> TwoWay:
        """The two sides are trained independently of each other, whatever the numbers of their seeds."""
        if self.seeds is None:
            raise ValueError("one training seed has no variance over seeds")
        return two_way(self.seeds[::-1], (1.0, -1.0))


def paired_scores(pair: PairedRows, metrics: Sequence[Metric], context: TaskContext) -> list[PairedScore]:
    """Each metric, or each class of a per-class one, on both sides; none for no metric."""
    if not metrics:
        return []
    codes = pair.base.group_codes()
    names = sorted({metric.statistic for metric in metrics})
    bases, heads = (
        [_Side.of(rows, codes, names, metrics, context) for rows in side] for side in (pair.bases, pair.heads)
    )
    many = len(bases) > 1 or len(heads) > 1
    changed = {name: int(pair.changed(name).sum()) for name in names}
    found: list[PairedScore] = []
    for metric in metrics:
        means = None if many else _Means.of(pair, metric, context)
        common = (len(pair), int(codes.max()) + 1, changed[metric.statistic])
        kind = kind_of(metric, None if means is None else means.both, codes)
        for column, label in enumerate(metric.classes(context) if metric.per_class else ("",)):
            place = column if metric.per_class else None
            seeds = tuple(tuple(one.jackknife(metric, place) for one in side) for side in (bases, heads))
            sides = _mean(seeds[0]), _mean(seeds[1])
            parts = _parts(means, codes)
            crossed = (seeds[0], seeds[1]) if many else None
            found.append(PairedScore(metric, label, kind, *sides, *common, *parts, crossed))
    return found


def _mean(seeds: Sequence[Jackknife]) -> Jackknife:
    """Of the mean over seeds; of one seed itself."""
    if len(seeds) == 1:
        return seeds[0]
    return Jackknife(float(np.mean([seed.value for seed in seeds])), np.mean([seed.left_out for seed in seeds], axis=0))


@dataclass(frozen=True, slots=True, eq=False)
class _Side:
    """By metric, the values and those without each group."""

    values: dict[str, Floats]
    left_out: dict[str, Floats]

    @classmethod
    def of(
        cls, rows: Rows, codes: NDArray[np.int64], names: Sequence[str], metrics: Sequence[Metric], context: TaskContext
    ) -> _Side:
        grouped = {name: GroupedTable.of(rows.values[name], codes) for name in names}
        return cls(values_of(grouped, metrics, context), left_out_values(grouped, metrics, context))

    def jackknife(self, metric: Metric, column: int | None) -> Jackknife:
        value, left_out = self.values[metric.id][0], self.left_out[metric.id]
        if column is None:
            return Jackknife(float(value), left_out)
        return Jackknife(float(value[column]), left_out[:, column])


@dataclass(frozen=True, slots=True, eq=False)
class _Means:
    """Scores [n] of the samples of both sides, where the metric is their mean."""

    base: Floats
    head: Floats

    @classmethod
    def of(cls, pair: PairedRows, metric: Metric, context: TaskContext) -> _Means | None:
        sides = [sample_scores(rows.values[metric.statistic], metric, context) for rows in (pair.base, pair.head)]
        base, head = sides
        return None if base is None or head is None else cls(base, head)

    @property
    def both(self) -> Floats:
        """Float64 [2n]."""
        return np.concatenate([self.base, self.head])


def _parts(
    means: _Means | None, codes: NDArray[np.int64]
) -> tuple[tuple[int, int] | None, tuple[Floats, Floats] | None]:
    """``right`` and ``totals`` of a paired score."""
    if means is None:
        return None, None
    if is_share(means.both, codes):
        lost, won = (means.base > means.head).sum(), (means.head > means.base).sum()
        return (int(lost), int(won)), None
    both = group_sums(np.stack([means.head - means.base, np.ones(len(codes))], axis=1), codes)
    return None, (both[:, 0], both[:, 1])
