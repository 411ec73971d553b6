"""What an encoder of pictures learns where there are hundreds of labels: which by token, and where by pixel."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, interpolate, pixel_shuffle

from mmbench.core.prediction import LabelMap, Prediction
from mmbench.fusion.feature import Feature, to_map
from mmbench.models.config import ModelConfig
from mmbench.models.heads import TokenClassifier
from mmbench.models.tasks.dense import Segmentation
from mmbench.models.tasks.task import Asked, Decide, Penalty, Size


class LookMap(Segmentation):
    """Label maps by a label for each token and, for each of its pixels, background (label 0) or not.

    Logits of all labels for all pixels would cost stride x stride as much; yet a token has to hold the outline of what
    it shows, since masks are to be read from it.
    """

    def channels(self, config: ModelConfig) -> int:
        """One logit a pixel, then the labels."""
        return config.stride**2 + len(config.classes)

    def head(self, config: ModelConfig) -> nn.Module:
        """Linear, by token."""
        return TokenClassifier(config.width, self.channels(config))

    def loss(self, logits: Feature, target: Tensor, penalty: Penalty, config: ModelConfig) -> Tensor:
        """The mean over tokens, of the label at the centre, plus the mean over pixels."""
        classes = len(config.classes)
        maps = to_map(logits).float()
        rows, columns = (_centres(n, m) for n, m in zip(maps.shape[-2:], target.shape[-2:], strict=True))
        labels = penalty.of(maps[:, -classes:], target[:, rows][:, :, columns].long())
        shown = _pixels(maps, classes, (target.shape[-2], target.shape[-1]))
        return labels + cross_entropy(torch.stack([-shown, shown], dim=1), (target > 0).long())

    def answer(self, decide: Decide, asked: Asked) -> Tensor:  # noqa: ARG002
        """The logits by token."""
        return to_map(decide(None)).float()

    def predictions(self, answers: Tensor, ids: Sequence[str], classes: Sequence[str]) -> list[Prediction]:
        """The token's best label at the pixels that are no background."""
        stride = round((answers.shape[1] - len(classes)) ** 0.5)
        size = (stride * answers.shape[2], stride * answers.shape[3])
        labels = interpolate(answers[:, -len(classes) + 1 :].max(dim=1, keepdim=True).indices.float(), size=size)[:, 0]
        shown = _pixels(answers, len(classes), size) > 0
        maps = torch.where(shown, labels + 1, 0).to(torch.int16).cpu().numpy()
        return [LabelMap(i, row) for i, row in zip(ids, maps, strict=True)]


def _pixels(maps: Tensor, classes: int, size: Size) -> Tensor:
    stride = round((maps.shape[1] - classes) ** 0.5)
    shown = pixel_shuffle(maps[:, : stride**2], stride)
    return interpolate(shown, size=size, mode="nearest-exact")[:, 0]


def _centres(tokens: int, pixels: int) -> Tensor:
    return ((torch.arange(tokens) + 0.5) * pixels / tokens).long()
