"""What a task is to the reference models."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mmbench.core.prediction import Prediction
from mmbench.fusion.feature import Feature
from mmbench.models.config import ModelConfig

VOID = -100  # label without a loss
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Labels:
    """What the targets of a training are: names of the classes, the label to leave out, the size of label maps."""

    classes: tuple[str, ...]
    ignore: int | None = None
    size: Size | None = None


@dataclass(frozen=True, slots=True)
class Penalty:
    """How errors count: ``weights`` float32 [C] by class, and the focal exponent (0 is plain cross-entropy)."""

    weights: Tensor
    focal: float = 0.0

    def of(self, logits: Tensor, target: Tensor) -> Tensor:
        """The mean over labels that are not VOID of w_y (1 - p_y)^focal (-log p_y): logits float [B,C,...], int64.

        The focal loss (Lin et al., Focal Loss for Dense Object Detection, ICCV 2017).
        """
        weights = self.weights.to(logits.device)
        count = (target != VOID).sum().clamp(min=1)
        if self.focal == 0:
            return cross_entropy(logits, target, weights, ignore_index=VOID, reduction="sum") / count
        plain = cross_entropy(logits, target, ignore_index=VOID, reduction="none")
        weight = torch.where(target == VOID, 0, weights[target.clamp(min=0)])
        return (weight * (1 - torch.exp(-plain)) ** self.focal * plain).sum() / count


class Task(ABC):
    """Targets, head, loss and output of one task; a value without state."""

    # Whether the output lies on the grid of the first picture: then its features keep their grid, and those of the
    # other kinds are spread over it.
    on_grid: ClassVar[bool] = False

    @abstractmethod
    def target(self, value: Any, labels: Labels) -> Tensor:
        """A sample's target as a tensor; raises SampleError when it is none of the task's."""

    @abstractmethod
    def truth(self, target: Tensor, value: Any) -> Any:
        """What the suite's metric compares a prediction with: the tensor, or the sample's own ``value``."""

    def collate(self, targets: Sequence[Tensor]) -> Tensor:
        """The targets of a batch."""
        return torch.stack(list(targets))

    @abstractmethod
    def counts(self, target: Tensor, classes: int) -> Tensor:
        """float64 [C]: how often a target holds each class."""

    def channels(self, config: ModelConfig) -> int:
        """Logits of a token."""
        return len(config.classes)

    @abstractmethod
    def head(self, config: ModelConfig) -> nn.Module:
        """A module from a Feature of ``config.width`` channels to one of logits."""

    @abstractmethod
    def loss(self, logits: Feature, target: Tensor, penalty: Penalty) -> Tensor:
        """A scalar, the mean over what the batch holds."""

    @abstractmethod
    def output(self, logits: Feature, size: Size | None) -> Any:
        """What ``forward`` returns (the model's contract); ``size`` is that of the pictures."""

    @abstractmethod
    def predictions(self, output: Any, ids: Sequence[str], classes: Sequence[str]) -> list[Prediction]:
        """What the suite's metric reads."""
