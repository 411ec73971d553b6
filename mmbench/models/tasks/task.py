"""What a task is to the reference models."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mmbench.core.prediction import Prediction
from mmbench.fusion.feature import Feature
from mmbench.models.config import ModelConfig

# From what heads are given beside the features to logits.
Decide = Callable[[Tensor | None], Feature]
VOID = -100  # label without a loss
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Labels:
    """What the targets of a training are: names of the classes, the label to leave out, the size of label maps,
    the most words of a caption.
    """

    classes: tuple[str, ...]
    ignore: int | None = None
    size: Size | None = None
    length: int = 64


@dataclass(frozen=True, slots=True)
class Penalty:
    """How errors count: ``weights`` float32 [C] by class, the focal exponent (0: plain cross-entropy), w_k by task."""

    weights: Tensor
    focal: float = 0.0
    tasks: Mapping[str, float] = field(default_factory=dict)

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


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be answered: ``count`` items on ``device``, with pictures of ``size``, by a model of ``config``."""

    config: ModelConfig
    count: int
    device: torch.device
    size: Size | None


class Task(ABC):
    """Targets, head, loss and output of one task; a value without state."""

    # Whether the output lies on the grid of the first picture: then its features keep their grid, and those of the
    # other kinds are spread over it.
    on_grid: ClassVar[bool] = False
    # Whether the answers are free texts, made of the words of the training targets.
    worded: ClassVar[bool] = False

    @abstractmethod
    def target(self, value: Any, labels: Labels) -> Tensor:
        """A sample's target as a tensor; raises SampleError when it is none of the task's."""

    @abstractmethod
    def truth(self, target: Tensor, value: Any) -> Any:
        """What the suite's metric compares a prediction with: the tensor, or the sample's own ``value``."""

    def collate(self, targets: Sequence[Tensor]) -> Tensor:
        """The targets of a batch."""
        return torch.stack(list(targets))

    def size(self, target: Tensor) -> Size | None:  # noqa: ARG002
        """Height and width of the targets of a batch, where they are label maps."""
        return None

    @abstractmethod
    def counts(self, target: Tensor, classes: int) -> Tensor:
        """float64 [C]: how often a target holds each class."""

    def channels(self, config: ModelConfig) -> int:
        """Logits of a token."""
        return len(config.classes)

    @abstractmethod
    def head(self, config: ModelConfig) -> nn.Module:
        """A module from a Feature of ``config.width`` channels to one of logits."""

    def query(self, target: Tensor) -> Tensor | None:  # noqa: ARG002
        """What heads are given beside the features in training; most need nothing."""
        return None

    @abstractmethod
    def loss(self, logits: Feature, target: Tensor, penalty: Penalty, config: ModelConfig) -> Tensor:
        """A scalar, the mean over what the batch holds."""

    @abstractmethod
    def answer(self, decide: Decide, asked: Asked) -> Any:
        """What ``forward`` returns (the model's contract)."""

    @abstractmethod
    def predictions(self, answers: Any, ids: Sequence[str], classes: Sequence[str]) -> list[Prediction]:
        """What the suite's metric reads of what ``answer`` returned."""
