"""The rows of two sides, joined by sample id; each side is one run, or several training seeds of one model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from mmbench.core import table as tables
from mmbench.core.errors import NotComparable
from mmbench.core.table import Ragged, Table
from mmbench.metrics.rows import Rows


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
    """The rows of both sides, the same samples in the same order; ``more`` are further training seeds of each side."""

    base: Rows
    head: Rows
    more: tuple[tuple[Rows, ...], tuple[Rows, ...]] = ((), ())

    @classmethod
    def of(cls, base: Rows, head: Rows, statistics: Sequence[str]) -> PairedRows:
        """Joined by sample id, in the order of the ids; raises NotComparable as ``check_alike``."""
        return cls.of_seeds([base], [head], statistics)

    @classmethod
    def of_seeds(cls, bases: Sequence[Rows], heads: Sequence[Rows], statistics: Sequence[str]) -> PairedRows:
        """As ``of``, of the training seeds of each side (at least one)."""
        for rows in (*bases[1:], *heads):
            check_alike(bases[0], rows, statistics)
        base, head = (tuple(_by_id(rows) for rows in side) for side in (bases, heads))
        return cls(base[0], head[0], (base[1:], head[1:]))

    def __len__(self) -> int:
        return len(self.base)

    @property
    def bases(self) -> tuple[Rows, ...]:
        """The rows of each training seed of the base."""
        return (self.base, *self.more[0])

    @property
    def heads(self) -> tuple[Rows, ...]:
        """The rows of each training seed of the head."""
        return (self.head, *self.more[1])

    def slices(self) -> Iterator[tuple[str, str, PairedRows]]:
        """Each (tag, value) of the base with its samples; a slice that holds every sample is left out."""
        place = {sample: index for index, sample in enumerate(self.base.ids)}
        for tag, value, part in self.base.slices():
            yield tag, value, self._select([place[sample] for sample in part.ids])

    def changed(self, statistic: str) -> NDArray[np.bool_]:
        """bool [n]: whether the rows of a sample differ; of seeds, in any of them, in their order.

        With unequal numbers of seeds every sample counts as changed.
        """
        if len(self.bases) != len(self.heads):
            return np.ones(len(self), dtype=np.bool_)
        pairs = zip(self.bases, self.heads, strict=True)
        found = [_differs(base.values[statistic], head.values[statistic]) for base, head in pairs]
        changed: NDArray[np.bool_] = np.any(found, axis=0)
        return changed

    def clustered(self, tag: str) -> PairedRows:
        """Grouped by the value of a tag in the base; raises UsageError as ``Rows.clustered``."""
        base = self.base.clustered(tag)
        return PairedRows(base, replace(self.head, groups=base.groups), self.more)

    def _select(self, indices: Sequence[int]) -> PairedRows:
        base, head = (tuple(rows.select(indices) for rows in side) for side in (self.bases, self.heads))
        return PairedRows(base[0], head[0], (base[1:], head[1:]))


def _by_id(rows: Rows) -> Rows:
    return rows.select(np.argsort(np.array(rows.ids)))


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
