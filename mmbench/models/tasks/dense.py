"""Segmentation, and of what an expression means: logits of each pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from mmbench.core.prediction import LabelMap, Prediction
from mmbench.fusion.feature import Feature, to_map
from mmbench.models.config import ModelConfig
from mmbench.models.heads import PixelClassifier, TokenClassifier, dense_logits
from mmbench.models.tasks.task import VOID, Asked, Decide, Labels, Penalty, Size, Task


class Segmentation(Task):
    """Logits float32 [B,C,H,W]; targets int16 [H,W] with VOID."""

    on_grid = True

    def target(self, value: Any, labels: Labels) -> Tensor:
        """Resized to the nearest pixel."""
        target = torch.from_numpy(np.asarray(value).astype(np.int16))
        if labels.ignore is not None:
            target[target == labels.ignore] = VOID
        return target if labels.size in (None, tuple(target.shape)) else resize_labels(target, labels.size)

    def truth(self, target: Tensor, value: Any) -> Any:  # noqa: ARG002
        """The resized map, int16, with VOID."""
        return target.numpy()

    def size(self, target: Tensor) -> Size:
        """Height and width."""
        return target.shape[-2], target.shape[-1]

    def counts(self, target: Tensor, classes: int) -> Tensor:
        """Pixels."""
        return torch.bincount(target[target != VOID].long(), minlength=classes)[:classes].double()

    def head(self, config: ModelConfig) -> nn.Module:
        """By token, or by pixel."""
        if config.subpixel:
            return PixelClassifier(config.width, self.channels(config), config.stride)
        return TokenClassifier(config.width, self.channels(config))

    def loss(self, logits: Feature, target: Tensor, penalty: Penalty, config: ModelConfig) -> Tensor:  # noqa: ARG002
        """The mean over pixels, at the size of the target."""
        return penalty.of(dense_logits(logits, self.size(target)), target.long())

    def answer(self, decide: Decide, asked: Asked) -> Tensor:
        """Logits at the size of the pictures."""
        logits = decide(None)
        return dense_logits(logits, asked.size) if asked.size is not None else to_map(logits).float()

    def predictions(self, answers: Tensor, ids: Sequence[str], classes: Sequence[str]) -> list[Prediction]:  # noqa: ARG002
        """The most probable class of each pixel."""
        labels = answers.max(dim=1).indices.to(torch.int16).cpu().numpy()
        return [LabelMap(i, row) for i, row in zip(ids, labels, strict=True)]


class ReferringSegmentation(Segmentation):
    """One logit a pixel, float32 [B,H,W]: above 0 what is meant; targets 0 or 1."""

    def answer(self, decide: Decide, asked: Asked) -> Tensor:
        """The logit of what is meant against the rest."""
        both = super().answer(decide, asked)
        return both[:, 1] - both[:, 0]

    def predictions(self, answers: Tensor, ids: Sequence[str], classes: Sequence[str]) -> list[Prediction]:  # noqa: ARG002
        """Masks of 0 and 1."""
        masks = (answers > 0).to(torch.uint8).cpu().numpy()
        return [LabelMap(i, mask) for i, mask in zip(ids, masks, strict=True)]


def resize_labels(target: Tensor, size: Size) -> Tensor:
    """Labels [H,W] -> [h,w], the nearest pixel."""
    return interpolate(target[None, None].float(), size=size, mode="nearest-exact")[0, 0].to(target.dtype)
