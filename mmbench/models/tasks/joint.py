"""Several tasks on one sample, trained together: a head for each on the same fused features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor

from mmbench.core.errors import SampleError
from mmbench.core.parts import of_part, part_of
from mmbench.core.prediction import Joint, Prediction
from mmbench.core.targets import JointTarget
from mmbench.fusion.feature import Feature
from mmbench.models.config import ModelConfig
from mmbench.models.tasks.pooled import Classification, QuestionAnswering
from mmbench.models.tasks.task import VOID, Asked, Decide, Labels, Penalty

PARTS: Mapping[str, Classification] = MappingProxyType({"classification": Classification(), "vqa": QuestionAnswering()})


class JointTasks(Classification):
    """Logits by task, {task: float32 [B,C_k]}; a target is a class of each task, int64 [K], in their order.

    The classes are those of all tasks, ``TASK/CLASS``, one task after the other. The heads are linear maps of the same
    vector, and so the rows of one; the loss is sum_k w_k l_k (Caruana, Multitask Learning, Machine Learning 1997).
    """

    def target(self, value: Any, labels: Labels) -> Tensor:
        """Indices into all classes; VOID as in each task."""
        if not isinstance(value, JointTarget):
            raise SampleError(f"A sample's target is a {type(value).__name__}, expected those of several tasks.")
        own = [
            (PARTS[k].target(value.parts[k], Labels(of_part(labels.classes, k))), span)
            for k, span in spans(labels.classes).items()
        ]
        return torch.stack([torch.where(label == VOID, VOID, label + span.start) for label, span in own])

    def counts(self, target: Tensor, classes: int) -> Tensor:
        """One of each task."""
        return torch.bincount(target[target != VOID], minlength=classes).double()

    def loss(self, logits: Feature, target: Tensor, penalty: Penalty, config: ModelConfig) -> Tensor:
        """sum_k w_k l_k, each l_k the mean over samples."""
        losses = []
        for place, (k, span) in enumerate(spans(config.classes).items()):
            own = Penalty(penalty.weights[span], penalty.focal)
            labels = torch.where(target[:, place] == VOID, VOID, target[:, place] - span.start)
            losses.append(penalty.tasks.get(k, 1.0) * own.of(logits.x[:, 0, span].float(), labels))
        return torch.stack(losses).sum()

    def answer(self, decide: Decide, asked: Asked) -> dict[str, Tensor]:
        """The logits of each task."""
        logits = decide(None).x[:, 0].float()
        return {k: logits[:, span] for k, span in spans(asked.config.classes).items()}

    def predictions(self, answers: Any, ids: Sequence[str], classes: Sequence[str]) -> list[Prediction]:
        """What each task's metric reads."""
        parts = {k: PARTS[k].singles(logits, ids, of_part(classes, k)) for k, logits in answers.items()}
        return [Joint(i, {k: found[n] for k, found in parts.items()}) for n, i in enumerate(ids)]


def spans(classes: Sequence[str]) -> dict[str, slice]:
    """Where the classes of each task stand."""
    found: dict[str, slice] = {}
    for place, name in enumerate(classes):
        k = part_of(name)
        found[k] = slice(found[k].start if k in found else place, place + 1)
    return found
