"""The training of one modality's encoder by itself, before the whole model's; its result is kept in the cache."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from mmbench.models import encoder_cache
from mmbench.models.assembled import built
from mmbench.models.checkpoint import Metadata, StateDict
from mmbench.models.config import ONLY, ModelConfig
from mmbench.models.loop import Report, fit
from mmbench.models.recipe import Recipe
from mmbench.models.stages import Labelled, key_of, record_of, stage_of


@dataclass(frozen=True, slots=True)
class EncoderStage:
    """A model of ``modality`` alone is trained on ``data``; its encoder is what is wanted."""

    modality: str
    data: Labelled
    config: ModelConfig
    recipe: Recipe
    device: torch.device

    @classmethod
    def of(
        cls, modality: str, data: Labelled, whole: ModelConfig, recipe: Recipe, device: torch.device
    ) -> EncoderStage:
        """For an encoder of the model ``whole``."""
        alone = {
            "task": data.task,
            "classes": data.train.labels.classes,
            "inputs": {modality: whole.inputs[modality]},
            "subpixel": whole.stride > 1 and data.task == "segmentation",
            "fusion": ONLY + modality,
            "fusion_options": {},
        }
        return cls(modality, data, whole.model_copy(update=alone), recipe, device)

    @property
    def key(self) -> str:
        """Identifies all that the weights depend on."""
        return key_of(self.data, self.config, self.recipe, self.device)

    @property
    def cached(self) -> bool:
        """Whether it was trained before."""
        return encoder_cache.load(self.key) is not None

    def trained(self, report: Report) -> tuple[StateDict, Metadata]:
        """The encoder's weights and the record of its training, from the cache if they are there."""
        key = self.key
        found = encoder_cache.load(key)
        if found is None:
            name = f"encoder {self.modality}"
            model = built(self.config, self.recipe.seed, self.device, name)
            best = fit(stage_of(name, model, self.data, self.recipe, (key, encoder_cache.state_file(key))), report)
            weights = {n: value.cpu() for n, value in model.encoders[self.modality].state_dict().items()}
            found = weights, record_of(self.recipe, best, self.data.metric)
            encoder_cache.save(key, *found)
        return found
