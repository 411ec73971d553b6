"""The score of a model on the validation split, with the same metric as in a run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from mmbench.core.metric import TaskContext, metric_named
from mmbench.core.prediction import LabelMap
from mmbench.metrics.scoring import row_of
from mmbench.models.data import VOID, Item, Items, collate

METRIC = "miou"
Logits = Callable[[Mapping[str, Tensor], Mapping[str, Tensor]], Tensor]


@torch.no_grad()
def validate(logits: Logits, items: Items, ids: Sequence[str], classes: int, device: torch.device) -> float:
    """mIoU of all items together; raises SampleError when a sample is broken."""
    metric = metric_named(METRIC)
    context = TaskContext(tuple(map(str, range(classes))), VOID)
    total = np.zeros(1, dtype=np.int64)
    for group in _equal_sizes(items, ids):
        batch = collate(group, items.modalities).to(device)
        predicted = logits(batch.inputs, batch.present).argmax(dim=1).to(torch.int16).cpu().numpy()
        for item, labels in zip(group, predicted, strict=True):
            target = item.target.numpy().astype(np.int16)
            total = (
                total + row_of(target, LabelMap("validation", labels), [metric.statistic], context)[metric.statistic]
            )
    return float(metric.value(total.astype(np.float64), context))


def _equal_sizes(items: Items, ids: Sequence[str], most: int = 32, pixels: int = 1 << 18) -> Iterator[list[Item]]:
    """Consecutive items of one size, in batches that fit into memory."""
    group: list[Item] = []
    for sample_id in ids:
        item = items.load(sample_id)
        full = len(group) >= min(most, max(1, pixels // item.target.numel()))
        if group and (full or group[0].target.shape != item.target.shape):
            yield group
            group = []
        group.append(item)
    if group:
        yield group
