"""Which samples moved a metric: its change when one sample alone takes the rows of the head."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmbench.core import table as tables
from mmbench.core.metric import Floats, Metric, TaskContext
from mmbench.core.table import Ints, Ragged, Table
from mmbench.metrics.paired_rows import PairedRows
from mmbench.metrics.weighing import GroupedTable, values_of

# At most this many numbers in a chunk of swapped sums, or of weights: 16 MiB of float64.
_CHUNK = 1 << 21
# A metric that is no function of sums is evaluated for so many exchanges, twice if more samples have changed.
MOST_EXCHANGES = 200


def contributions(pair: PairedRows, metric: Metric, context: TaskContext) -> Floats | None:
    """float64 [n]: how the score of the base changes when one sample alone takes the rows of the head.

    The mean over pairs of training seeds, where there are several. Of a metric that is no function of sums at most
    ``MOST_EXCHANGES`` samples are told, the others are 0: where more have changed, they are exchanged in as many blocks
    first, and one by one in the blocks that moved the score most. None for a metric that is per class.
    """
    if metric.per_class:
        return None
    seeds = list(zip(pair.bases, pair.heads, strict=False))
    found = [_contributions(PairedRows(*seed), metric, context) for seed in seeds]
    return np.mean(found, axis=0)  # type: ignore[no-any-return]


def _contributions(pair: PairedRows, metric: Metric, context: TaskContext) -> Floats:
    base, head = pair.base.values[metric.statistic], pair.head.values[metric.statistic]
    if metric.kind == "sums" and not isinstance(base, Ragged) and not isinstance(head, Ragged):
        return _of_sums(base, head, metric, context)
    found = np.zeros(len(pair))
    chosen = np.flatnonzero(pair.changed(metric.statistic))
    if len(chosen) > MOST_EXCHANGES:
        chosen = _most_moving(chosen, base, head, metric, context)
    found[chosen] = _exchanged([np.array([index]) for index in chosen], base, head, metric, context)
    return found


def _of_sums(base: Ints | Floats, head: Ints | Floats, metric: Metric, context: TaskContext) -> Floats:
    total = base.astype(np.float64).sum(axis=0)
    step = max(1, _CHUNK // len(total))
    swapped = [
        metric.value(total + (head[i : i + step] - base[i : i + step]), context) for i in range(0, len(base), step)
    ]
    found: Floats = np.concatenate(swapped) - metric.value(total[None], context)
    return found


def _most_moving(chosen: Ints, base: Table, head: Table, metric: Metric, context: TaskContext) -> Ints:
    """At most ``MOST_EXCHANGES`` samples, from the blocks of ``chosen`` that move the score most, per sample."""
    blocks = np.array_split(chosen, MOST_EXCHANGES)
    moved = np.nan_to_num(np.abs(_exchanged(blocks, base, head, metric, context)))
    order = np.argsort(-moved / [len(block) for block in blocks], kind="stable")
    return np.concatenate([blocks[place] for place in order])[:MOST_EXCHANGES]


def _exchanged(blocks: Sequence[Ints], base: Table, head: Table, metric: Metric, context: TaskContext) -> Floats:
    """float64 [b]: the change of the base's score when the samples of each block take the rows of the head.

    One table holds the samples of both sides; weights choose the side of each.
    """
    if not blocks:
        return np.zeros(0)
    n = len(base)
    both = {metric.statistic: GroupedTable.of(tables.concatenate([base, head]), np.arange(2 * n))}
    step = max(1, _CHUNK // (2 * n))
    found = [_values(both, blocks[i : i + step], n, metric, context) for i in range(0, len(blocks), step)]
    score: Floats = np.concatenate(found) - _values(both, [np.zeros(0, np.int64)], n, metric, context)
    return score


def _values(
    both: dict[str, GroupedTable], blocks: Sequence[Ints], n: int, metric: Metric, context: TaskContext
) -> Floats:
    weights = np.zeros((len(blocks), 2 * n))
    weights[:, :n] = 1
    for row, block in zip(weights, blocks, strict=True):
        row[block], row[n + block] = 0, 1
    return values_of(both, [metric], context, weights)[metric.id]
