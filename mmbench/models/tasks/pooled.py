"""Classification and question answering: one vector of logits for each sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmbench.core.errors import SampleError
from mmbench.core.prediction import ClassScores, Prediction, Single, Text
from mmbench.fusion.feature import Feature
from mmbench.models.bridges import pooled
from mmbench.models.config import ModelConfig
from mmbench.models.heads import TokenClassifier
from mmbench.models.tasks.task import VOID, Asked, Decide, Labels, Penalty, Task


class PooledClassifier(TokenClassifier):
    """Logits of the mean of all tokens that are not padding."""

    def forward(self, feature: Feature) -> Feature:
        """x float [B,L,d] -> x float [B,1,C]."""
        return super().forward(pooled(feature))


class Classification(Task):
    """Logits float32 [B,C]; a target is a class, int64 []."""

    def target(self, value: Any, labels: Labels) -> Tensor:
        """An index into the classes."""
        if not 0 <= int(value) < len(labels.classes):
            raise SampleError(f"A sample has the class {value}, expected 0..{len(labels.classes) - 1}.")
        return torch.tensor(int(value))

    def truth(self, target: Tensor, value: Any) -> Any:  # noqa: ARG002
        """The sample's own."""
        return value

    def counts(self, target: Tensor, classes: int) -> Tensor:
        """One sample."""
        return torch.bincount(target[None][target[None] != VOID], minlength=classes).double()

    def head(self, config: ModelConfig) -> nn.Module:
        """Linear, on the mean of the tokens."""
        return PooledClassifier(config.width, self.channels(config))

    def loss(self, logits: Feature, target: Tensor, penalty: Penalty, config: ModelConfig) -> Tensor:  # noqa: ARG002
        """The mean over samples."""
        return penalty.of(logits.x[:, 0].float(), target)

    def answer(self, decide: Decide, asked: Asked) -> Any:  # noqa: ARG002
        """float32 [B,C]."""
        return decide(None).x[:, 0].float()

    def predictions(self, answers: Any, ids: Sequence[str], classes: Sequence[str]) -> list[Prediction]:
        """As ``singles``."""
        return list(self.singles(answers, ids, classes))

    def singles(self, answers: Tensor, ids: Sequence[str], classes: Sequence[str]) -> Sequence[Single]:  # noqa: ARG002
        """The logits."""
        return [ClassScores(i, row) for i, row in zip(ids, answers.cpu().numpy(), strict=True)]


class QuestionAnswering(Classification):
    """Classification over a closed list of answers; an answer that is not in the list has no loss."""

    def target(self, value: Any, labels: Labels) -> Tensor:
        """The answer's number."""
        return torch.tensor(labels.classes.index(value) if value in labels.classes else VOID)

    def singles(self, answers: Tensor, ids: Sequence[str], classes: Sequence[str]) -> Sequence[Single]:
        """The most probable answer."""
        return [Text(i, classes[n]) for i, n in zip(ids, answers.max(dim=1).indices.tolist(), strict=True)]
