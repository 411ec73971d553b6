"""Two tasks on one sample: the class of a picture (the texture of most of its things) and a question about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mmbench.core.bounds import Bounds
from mmbench.core.parts import joined
from mmbench.core.targets import JointTarget
from mmbench.sources.scenes import SPEC_VERSION, words
from mmbench.sources.scenes.tasks.accuracy import DIGITS, METRIC
from mmbench.sources.scenes.tasks.task import Item
from mmbench.sources.scenes.tasks.vqa import ANSWERS, QuestionAnswering

CLASSIFICATION, VQA = "classification", "vqa"
CLASSES = words.TEXTURES


@dataclass(frozen=True, slots=True)
class ClassificationAndQuestions(QuestionAnswering):
    """Classification and question answering; a sample's target is a ``JointTarget`` of class 0..3 and answer."""

    name: str = "cls-vqa"

    def classes(self, regime: str) -> tuple[str, ...]:  # noqa: ARG002
        """The four classes, then all answers, each with its task."""
        return (*(joined(CLASSIFICATION, name) for name in CLASSES), *(joined(VQA, name) for name in ANSWERS))

    def target(self, item: Item) -> Any:
        """Class and answer."""
        return JointTarget({CLASSIFICATION: self.majority(item), VQA: self.question(item).answer})

    def bounds(self, regime: str, items: Sequence[Item]) -> tuple[Bounds, ...]:
        """Bounds of the class's accuracy, which the picture alone tells, and of the answer's."""
        if not items:
            return ()
        guess = round(1 / len(CLASSES), DIGITS)
        told = Bounds(
            metric=joined(CLASSIFICATION, METRIC),
            chance=guess,
            unimodal={"image": 1.0, "text": guess},
            additive=1.0,
            fused=1.0,
            spec_version=SPEC_VERSION,
        )
        answers = super(ClassificationAndQuestions, self).bounds(regime, items)
        return (told, *(bounds.model_copy(update={"metric": joined(VQA, bounds.metric)}) for bounds in answers))
