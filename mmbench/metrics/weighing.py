"""Values of a metric under weights of groups: the whole sample, and bootstrap draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmbench.core.metric import Floats, Ints, Metric, TaskContext
from mmbench.core.table import Ragged, Table, width
from mmbench.stats.resampling import draw_weights, group_sums

# At most this many weights of samples, or numbers of summed rows, at a time: 16 MiB of float64.
_CHUNK = 1 << 21


@dataclass(frozen=True, slots=True, eq=False)
class GroupedTable:
    """A statistic's table with the group 0..G-1 of each sample; ``sums`` float64 [G,k] unless the table is ragged."""

    table: Table
    codes: Ints
    sums: Floats | None

    @classmethod
    def of(cls, table: Table, codes: Ints) -> GroupedTable:
        """``codes`` int64 [n], none of 0..G-1 left out."""
        sums = None if isinstance(table, Ragged) else group_sums(table, codes).astype(np.float64)
        return cls(table, codes, sums)

    @property
    def groups(self) -> int:
        """G."""
        return int(self.codes.max()) + 1

    def value(self, metric: Metric, context: TaskContext) -> Floats:
        """The value over all samples, float64 [] or [C]."""
        value: Floats = self.values(metric, np.ones((1, self.groups)), context)[0]
        return value

    def values(self, metric: Metric, weights: Floats, context: TaskContext) -> Floats:
        """The values float64 [D] or [D,C] under ``weights`` float64 [D,G], how often each group is there."""
        if metric.kind == "weighted":
            return metric.value(self.table, weights[:, self.codes], context)
        if self.sums is None:
            raise TypeError(f"metric {metric.id!r} sums rows, but statistic {metric.statistic!r} has ragged ones")
        sums: Floats = weights @ self.sums
        return metric.value(sums, context)


def replicates(
    tables: Mapping[str, GroupedTable], metrics: Sequence[Metric], context: TaskContext, draws: int, seed: int
) -> dict[str, Floats]:
    """By metric, its value float64 [draws] or [draws,C] in each draw of groups; all metrics see the same draws.

    Sums of whole numbers below 2**53 are exact, so that neither the order of the groups nor the number of threads
    changes them.
    """
    groups = next(iter(tables.values())).groups
    chunks: dict[str, list[Floats]] = {metric.id: [] for metric in metrics}
    for weights in draw_weights(groups, draws, seed, chunk=_chunk(tables, metrics, groups)):
        for metric in metrics:
            chunks[metric.id].append(tables[metric.statistic].values(metric, weights, context))
    return {name: np.concatenate(parts) for name, parts in chunks.items()}


def _chunk(tables: Mapping[str, GroupedTable], metrics: Sequence[Metric], groups: int) -> int:
    """The weights of groups in a chunk, so that neither sums nor weights of samples are more than a chunk."""
    widest = max(groups, *(width(table.table) for table in tables.values()))
    if any(metric.kind == "weighted" for metric in metrics):
        widest = max(widest, *(len(table.codes) for table in tables.values()))
    return max(groups, _CHUNK * groups // widest)
