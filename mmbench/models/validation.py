"""The score of a model on the validation split, with the same metric as in a run."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmbench.core.metric import RowStatistic, TaskContext, metric_named
from mmbench.metrics.scoring import row_of, statistic_named, tables_of
from mmbench.metrics.weighing import GroupedTable, values_of
from mmbench.models.data import Item, Items, collate, picture_size
from mmbench.models.tasks.task import VOID, Task

# Ids, what the metric compares, and the batch, of items that go through a model together.
Group = tuple[Sequence[str], Sequence[Any], Any]


@dataclass(frozen=True, slots=True)
class Judged:
    """How answers are scored: the task that reads them, its classes, the metric's name."""

    task: Task
    classes: tuple[str, ...]
    metric: str


@torch.no_grad()
def validate(answer: Callable[[Any], Any], groups: Iterable[Group], judged: Judged, device: torch.device) -> float:
    """The metric's value over the items of all groups; ``answer`` gives the task's answer to a batch."""
    chosen, context = metric_named(judged.metric), TaskContext(judged.classes, VOID)
    answered = (
        pair
        for ids, truths, batch in groups
        for pair in zip(truths, judged.task.predictions(answer(batch.to(device)), ids, judged.classes), strict=True)
    )
    if isinstance(statistic_named(chosen.statistic), RowStatistic) and chosen.kind == "sums":
        # Summed at once: label maps, or rows of many classes, need not be kept.
        total = sum(row_of(t, p, [chosen.statistic], context)[chosen.statistic] for t, p in answered)
        return float(chosen.value(np.asarray(total, dtype=np.float64), context))
    targets, predictions = zip(*answered, strict=True)
    table = tables_of(targets, predictions, [chosen.statistic], context)[chosen.statistic]
    grouped = {chosen.statistic: GroupedTable.of(table, np.arange(len(targets)))}
    return float(values_of(grouped, [chosen], context)[chosen.id][0])


def item_groups(items: Items, ids: Sequence[str]) -> Iterator[Group]:
    """Consecutive items of one shape; raises SampleError when a sample is broken."""
    for chosen, group in _alike(items, ids):
        yield chosen, [item.truth for item in group], collate(group, items.modalities, items.task)


def _alike(
    items: Items, ids: Sequence[str], most: int = 32, pixels: int = 1 << 18
) -> Iterator[tuple[list[str], list[Item]]]:
    """Consecutive items of one shape, in batches that fit into memory."""
    chosen: list[str] = []
    group: list[Item] = []
    for sample_id in ids:
        item = items.load(sample_id)
        height, width = picture_size([item])
        full = len(group) >= min(most, max(1, pixels // (height * width)))
        if group and (full or _shapes(group[0]) != _shapes(item)):
            yield chosen, group
            chosen, group = [], []
        chosen.append(sample_id)
        group.append(item)
    if group:
        yield chosen, group


def _shapes(item: Item) -> list[tuple[int, ...] | None]:
    return [tuple(x.shape) if isinstance(x, Tensor) else None for x in item.inputs.values()]
