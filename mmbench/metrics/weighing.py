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
        sums = None if isinstance(table, Ragged) else group_sums(table.astype(np.float64), codes)
        return cls(table, codes, sums)

    @property
    def groups(self) -> int:
        """G."""
        return int(self.codes.max()) + 1


def values_of(
    tables: Mapping[str, GroupedTable], metrics: Sequence[Metric], context: TaskContext, weights: Floats | None = None
) -> dict[str, Floats]:
    """By metric, its values float64 [D] or [D,C] under ``weights`` float64 [D,G], how often each group is there.

    Without weights one draw with every group once: the value over all samples.
    """
    drawn = np.ones((1, next(iter(tables.values())).groups)) if weights is None else weights
    found: dict[str, Floats] = {}
    for metric in metrics:
        if metric.id not in found:
            found |= _values(tables[metric.statistic], _sharing(metric, metrics), context, drawn)
    return found


def _sharing(metric: Metric, metrics: Sequence[Metric]) -> list[Metric]:
    """The metrics that are computed together with this one, itself included."""
    if metric.kind != "joint":
        return [metric]
    return [other for other in metrics if (other.statistic, other.value) == (metric.statistic, metric.value)]


def _values(table: GroupedTable, metrics: Sequence[Metric], context: TaskContext, weights: Floats) -> dict[str, Floats]:
    first = metrics[0]
    if first.kind == "joint":
        joint: dict[str, Floats] = first.value(table.table, weights[:, table.codes], context, [m.id for m in metrics])
        return joint
    if first.kind == "weighted":
        return {first.id: first.value(table.table, weights[:, table.codes], context)}
    if table.sums is None:
        raise TypeError(f"metric {first.id!r} sums rows, but statistic {first.statistic!r} has ragged ones")
    return {first.id: first.value(weights @ table.sums, context)}


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
        for name, found in values_of(tables, metrics, context, weights).items():
            chunks[name].append(found)
    return {name: np.concatenate(parts) for name, parts in chunks.items()}


def _chunk(tables: Mapping[str, GroupedTable], metrics: Sequence[Metric], groups: int) -> int:
    """The weights of groups in a chunk, so that neither sums nor weights of samples are more than a chunk."""
    widest = max(groups, *(width(table.table) for table in tables.values()))
    if any(metric.kind != "sums" for metric in metrics):
        widest = max(widest, *(len(table.codes) for table in tables.values()))
    return max(groups, _CHUNK * groups // widest)
