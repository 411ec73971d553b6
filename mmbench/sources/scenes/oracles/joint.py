"""Decoders of the joint task: class of the picture and answer to the question."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmbench.sources.scenes.oracles import ask, see
from mmbench.sources.scenes.tasks.cls_vqa import CLASSIFICATION, VQA


@dataclass(frozen=True, slots=True)
class JointOracle:
    """``AskOracle`` together with the texture of most things, which without the picture is guessed as 0."""

    observed: tuple[str, ...]

    def predict(self, sample_id: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """A prediction by task."""
        label = ask.majority(see.look(inputs["image"])) if "image" in self.observed else 0
        return {CLASSIFICATION: label, VQA: ask.AskOracle(self.observed).predict(sample_id, inputs)}
