"""The score of a model on the validation split, with the same metric as in a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmbench.core.metric import RowStatistic, TaskContext, metric_named
from mmbench.core.prediction import Prediction
from mmbench.metrics.scoring import row_of, statistic_named, tables_of
from mmbench.metrics.weighing import GroupedTable, values_of
from mmbench.models.data import Item, Items, TensorBatch, collate, picture_size
from mmbench.models.tasks.task import VOID

Answer = Callable[[TensorBatch], Any]


@torch.no_grad()
def validate(answer: Answer, items: Items, ids: Sequence[str], metric: str, device: torch.device) -> float:
    """The metric's value over all items; ``answer`` gives the task's output. Raises SampleError on a broken sample."""
    chosen = metric_named(metric)
    context = TaskContext(items.labels.classes, VOID)
    groups = _answered(answer, items, ids, device)
    if isinstance(statistic_named(chosen.statistic), RowStatistic) and chosen.kind == "sums":
        # Summed at once: label maps, or rows of many classes, need not be kept.
        total = sum(
            row_of(item.truth, found, [chosen.statistic], context)[chosen.statistic]
            for group, predictions in groups
            for item, found in zip(group, predictions, strict=True)
        )
        return float(chosen.value(np.asarray(total, dtype=np.float64), context))
    pairs = [(item.truth, p) for group, predictions in groups for item, p in zip(group, predictions, strict=True)]
    truths, predictions = zip(*pairs, strict=True)
    table = tables_of(truths, predictions, [chosen.statistic], context)[chosen.statistic]
    grouped = {chosen.statistic: GroupedTable.of(table, np.arange(len(ids)))}
    return float(values_of(grouped, [chosen], context)[metric][0])


def _answered(
    answer: Answer, items: Items, ids: Sequence[str], device: torch.device
) -> Iterator[tuple[list[Item], list[Prediction]]]:
    for chosen, group in _alike(items, ids):
        output = answer(collate(group, items.modalities, items.task).to(device))
        yield group, items.task.predictions(output, chosen, items.labels.classes)


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
