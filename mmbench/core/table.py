"""Tables: what a statistic makes of n samples, a row each of fixed width, or rows of unequal number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Numbers = NDArray[np.int64] | NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Ragged:
    """Sample i owns ``values[starts[i]:starts[i + 1]]`` (its detections, say), which may be none.

    ``values`` int64 or float64 [N,k]; ``starts`` int64 [n+1], from 0 to N, never falling. Raises ValueError.
    """

    values: Numbers
    starts: Ints

    def __post_init__(self) -> None:
        starts = self.starts
        if starts.ndim != 1 or not len(starts) or starts[0] != 0 or starts[-1] != len(self.values):
            raise ValueError(f"starts must run from 0 to {len(self.values)}")
        if (np.diff(starts) < 0).any():
            raise ValueError("starts must never fall")

    def __len__(self) -> int:
        return len(self.starts) - 1

    @property
    def owners(self) -> Ints:
        """int64 [N]: the sample that each value row belongs to."""
        return np.repeat(np.arange(len(self), dtype=np.int64), np.diff(self.starts))


Table = Ints | Floats | Ragged


def select(table: Table, index: NDArray[np.intp]) -> Table:
    """The samples at these indices, in this order."""
    if not isinstance(table, Ragged):
        return table[index]
    lengths = np.diff(table.starts)[index]
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    # Position within the new table, shifted to where each sample's rows were.
    shift = np.repeat(table.starts[:-1][index] - starts[:-1], lengths)
    return Ragged(table.values[np.arange(starts[-1]) + shift], starts)


def concatenate(tables: Sequence[Table]) -> Table:
    """The samples of all tables, at least one, in their order; raises ValueError when they differ in kind."""
    ragged = [table for table in tables if isinstance(table, Ragged)]
    if not ragged:
        return np.concatenate([table for table in tables if not isinstance(table, Ragged)])
    if len(ragged) != len(tables):
        raise ValueError("ragged and plain tables cannot be joined")
    offsets = np.cumsum([0, *(len(table.values) for table in ragged)])
    starts = [table.starts[:-1] + offset for table, offset in zip(ragged, offsets, strict=False)]
    return Ragged(np.concatenate([table.values for table in ragged]), np.concatenate([*starts, offsets[-1:]]))


def width(table: Table) -> int:
    """k, the numbers in a row."""
    values = table.values if isinstance(table, Ragged) else table
    return int(values.shape[1])


def check(name: str, table: Table) -> None:
    """Raises ValueError unless the table holds int64 or float64 [n,k]."""
    values = table.values if isinstance(table, Ragged) else table
    if values.ndim != 2 or values.dtype not in (np.int64, np.float64):
        raise ValueError(f"statistic {name!r} is {values.dtype} {values.shape}, expected int64 or float64 [n,k]")
