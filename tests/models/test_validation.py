"""The validation score is the metric of a run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from mmbench.models.data import Items, TensorBatch
from mmbench.models.splits import Splits
from mmbench.models.validation import Judged, item_groups, validate

CPU = torch.device("cpu")


def judged(items: Items) -> Judged:
    return Judged(items.task, items.labels.classes, "miou")


def test_equals_a_plain_computation(splits: Splits, items_of: Callable[..., Items]) -> None:
    """mIoU of the confusion of all items, ignored pixels left out."""
    source = splits.val
    items = items_of(source)
    score = validate(_darkness, item_groups(items, source.ids), judged(items), CPU)
    confusion = np.zeros((3, 3))
    for i in source.ids:
        sample = source.load(i)
        guess = np.where(sample.inputs["rgb"][..., 0] == 128, 0, np.where(sample.inputs["rgb"][..., 0] > 128, 1, 2))
        valid = sample.target != 255
        np.add.at(confusion, (sample.target[valid], guess[valid]), 1)
    union = confusion.sum(axis=0) + confusion.sum(axis=1) - confusion.diagonal()
    assert score == pytest.approx((confusion.diagonal() / union).mean(), abs=1e-12)


def test_a_perfect_model_scores_one(splits: Splits, items_of: Callable[..., Items]) -> None:
    source = splits.val
    items = items_of(source)
    assert validate(_truth, item_groups(items, source.ids), judged(items), CPU) == 1.0


def _darkness(batch: TensorBatch) -> Tensor:
    red = (batch.inputs["rgb"][:, 0] * 255).round()
    return torch.stack([red == 128, red > 128, red < 128], dim=1).float()


def _truth(batch: TensorBatch) -> Tensor:
    inputs = batch.inputs
    light, near = inputs["rgb"][:, 0] > 0.6, inputs["depth"][:, 0] < 1.5
    ground = inputs["depth"][:, 0] == 2
    return torch.stack([ground, ~ground & (light == near), ~ground & (light != near)], dim=1).float()
