"""Two runs on the same samples: rows joined by sample id, and each metric on both sides with what a test of it reads.

Base and head are named as in a pull request. A *change* is head - base; a *harm* is oriented so that positive is worse.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmbench.core import table as tables
from mmbench.core.errors import NotComparable
from mmbench.core.metric import Floats, Metric, TaskContext
from mmbench.core.table import Ragged, Table
from mmbench.metrics.means import is_share, kind_of, sample_scores
from mmbench.metrics.rows import Rows
from mmbench.metrics.weighing import GroupedTable, left_out_values, values_of
from mmbench.stats import methods
from mmbench.stats.decisions import BinaryHarm, Harm, SignFlipHarm, StudentHarm
from mmbench.stats.intervals import Interval
from mmbench.stats.jackknife import Jackknife, difference
from mmbench.stats.methods import Kind, Method, choose_method
from mmbench.stats.paired import jackknife_difference
from mmbench.stats.permutation import TypicalValues
from mmbench.stats.power import discordance_error
from mmbench.stats.proportions import mcnemar_p
from mmbench.stats.resampling import group_sums

# Below this many groups the harm of a mean is tested by flipping the signs of groups.
FEW_GROUPS = 30
# At most this many numbers in a chunk of swapped sums: 16 MiB of float64.
_CHUNK = 1 << 21


def check_alike(first: Rows, other: Rows, statistics: Sequence[str]) -> None:
    """Raises NotComparable unless both hold the same samples, equally grouped, and alike rows of the statistics."""
    groups = dict(zip(first.ids, first.groups, strict=True))
    odd = sorted(groups.keys() ^ set(other.ids))
    if odd:
        raise NotComparable(
            f"Runs that scored different samples cannot be compared: {odd[0]!r} is not in all of them ({len(odd)} such "
            "samples); measure them on the same samples."
        )
    if any(groups[sample] != group for sample, group in zip(other.ids, other.groups, strict=True)):
        raise NotComparable("Runs whose samples are grouped differently cannot be compared; measure them again.")
    for name in statistics:
        _check_tables(name, first.values.get(name), other.values.get(name))


def _check_tables(name: str, first: Table | None, other: Table | None) -> None:
    if first is None or other is None:
        raise NotComparable(f"A run holds no rows of the statistic {name!r}; measure it with the metric again.")
    if isinstance(first, Ragged) != isinstance(other, Ragged) or tables.width(first) != tables.width(other):
        raise NotComparable(f"Runs with rows of {name!r} of unequal width cannot be compared: the classes differ.")


@dataclass(frozen=True, slots=True, eq=False)
class PairedRows:
    """The rows of both sides, the same samples in the same order."""

    base: Rows
    head: Rows

    @classmethod
    def of(cls, base: Rows, head: Rows, statistics: Sequence[str]) -> PairedRows:
        """Joined by sample id, in the order of the ids; raises NotComparable as ``check_alike``."""
        check_alike(base, head, statistics)
        return cls(base.select(np.argsort(np.array(base.ids))), head.select(np.argsort(np.array(head.ids))))

    def __len__(self) -> int:
        return len(self.base)

    def slices(self) -> Iterator[tuple[str, str, PairedRows]]:
        """Each (tag, value) of the base with its samples; a slice that holds every sample is left out."""
        place = {sample: index for index, sample in enumerate(self.base.ids)}
        for tag, value, part in self.base.slices():
            yield tag, value, PairedRows(part, self.head.select([place[sample] for sample in part.ids]))

    def changed(self, statistic: str) -> NDArray[np.bool_]:
        """bool [n]: whether the rows of a sample differ."""
        return _differs(self.base.values[statistic], self.head.values[statistic])


@dataclass(frozen=True, slots=True, eq=False)
class PairedScore:
    """A metric (or one class of it, ``label``) on both sides: value and jackknife over the same groups.

    ``changed`` of ``samples`` have other rows. ``right``: samples that are right (score 1) on the base alone and on the
    head alone, for a proportion. ``totals``: float64 [G] sums of head - base and sizes of the groups, for a mean.
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

    @property
    def change(self) -> Jackknife:
        """Head - base."""
        return difference(self.head, self.base)

    @property
    def method(self) -> Method:
        """How the interval of the change is computed (``stats.methods.choose_method``)."""
        return choose_method(self.kind, "difference", samples=self.samples, groups=self.groups)

    @property
    def error(self) -> float:
        """Standard error of the change; NaN where nothing can be said."""
        if self.right is not None and self.groups > 1:
            return discordance_error(sum(self.right) / self.samples, self.samples, self.change.value)
        return self.change.error

    @property
    def p(self) -> float:
        """Two-sided p of "no change": McNemar's exact test of a proportion, else Student's t over groups."""
        if self.right is not None:
            return mcnemar_p(*self.right)
        return jackknife_difference(self.head, self.base).p

    def interval(self, level: float) -> Interval:
        """Of the change."""
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
        change = self.change
        return StudentHarm(sign * change.value, change.error, change.groups - 1, change.groups)


def paired_scores(pair: PairedRows, metrics: Sequence[Metric], context: TaskContext) -> list[PairedScore]:
    """Each metric, or each class of a per-class one, on both sides; none for no metric."""
    if not metrics:
        return []
    codes = pair.base.group_codes()
    names = sorted({metric.statistic for metric in metrics})
    base = _Side.of(pair.base, codes, names, metrics, context)
    head = _Side.of(pair.head, codes, names, metrics, context)
    changed = {name: int(pair.changed(name).sum()) for name in names}
    found: list[PairedScore] = []
    for metric in metrics:
        means = _Means.of(pair, metric, context)
        common = (len(pair), int(codes.max()) + 1, changed[metric.statistic])
        for column, label in enumerate(metric.classes(context) if metric.per_class else ("",)):
            place = column if metric.per_class else None
            sides = base.jackknife(metric, place), head.jackknife(metric, place)
            found.append(
                PairedScore(
                    metric,
                    label,
                    kind_of(metric, None if means is None else means.both, codes),
                    *sides,
                    *common,
                    *_parts(means, codes),
                )
            )
    return found


def contributions(pair: PairedRows, metric: Metric, context: TaskContext) -> Floats | None:
    """float64 [n]: how the score of the base changes when one sample alone takes the rows of the head.

    None for a metric that is per class or no function of sums.
    """
    base, head = pair.base.values[metric.statistic], pair.head.values[metric.statistic]
    if metric.kind != "sums" or metric.per_class or isinstance(base, Ragged) or isinstance(head, Ragged):
        return None
    total = base.astype(np.float64).sum(axis=0)
    step = max(1, _CHUNK // len(total))
    swapped = [
        metric.value(total + (head[i : i + step] - base[i : i + step]), context) for i in range(0, len(pair), step)
    ]
    found: Floats = np.concatenate(swapped) - metric.value(total[None], context)
    return found


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


def _differs(first: Table, other: Table) -> NDArray[np.bool_]:
    if isinstance(first, Ragged) and isinstance(other, Ragged):
        return _ragged_differs(first, other)
    return _unequal(np.asarray(first), np.asarray(other))


def _ragged_differs(first: Ragged, other: Ragged) -> NDArray[np.bool_]:
    differs: NDArray[np.bool_] = np.diff(first.starts) != np.diff(other.starts)
    alike = np.flatnonzero(~differs)
    one, two = tables.select(first, alike), tables.select(other, alike)
    if isinstance(one, Ragged) and isinstance(two, Ragged):
        differs[alike[one.owners[_unequal(one.values, two.values)]]] = True
    return differs


def _unequal(first: NDArray[np.generic], other: NDArray[np.generic]) -> NDArray[np.bool_]:
    """bool [n]: whether the rows [n,k] differ; NaN equals NaN."""
    unequal: NDArray[np.bool_] = np.any((first != other) & ~((first != first) & (other != other)), axis=1)
    return unequal
