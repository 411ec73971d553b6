"""The encoders' own stages: each learns what its modality alone shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from mmbench.core.key import digest_of
from mmbench.models import encoder_cache
from mmbench.models.assembled import FusionModel
from mmbench.models.building import built
from mmbench.models.checkpoint import Metadata, StateDict, weights_digest
from mmbench.models.config import ONLY, ModelConfig
from mmbench.models.loop import Report, fit
from mmbench.models.plan import Plan
from mmbench.models.recipe import Recipe
from mmbench.models.splits import Splits
from mmbench.models.stages import Labelled, key_of, record_of, stage_of, with_signatures


@dataclass(frozen=True, slots=True)
class TrainedEncoders:
    """The weights of each modality's encoder, and what its stage was."""

    weights: Mapping[str, StateDict]
    records: Mapping[str, Metadata]

    @property
    def digest(self) -> str:
        """Over all weights; equal for models that share their encoders."""
        return digest_of({m: weights_digest(state) for m, state in self.weights.items()})

    def load_into(self, model: FusionModel) -> None:
        """Replaces the encoders of the model, as far as it has these."""
        for m, state in self.weights.items():
            if m in model.encoders:
                model.encoders[m].load_state_dict(state)


@dataclass(frozen=True, slots=True)
class EncoderStage:
    """The training of a model of ``modality`` alone on ``data``, whose encoder is what is wanted."""

    modality: str
    data: Labelled
    config: ModelConfig
    recipe: Recipe
    device: torch.device

    @classmethod
    def of(cls, modality: str, data: Labelled, plan: Plan, whole: ModelConfig) -> EncoderStage:
        """For an encoder of a model of the configuration ``whole``."""
        config = ModelConfig(
            task=data.task,
            classes=data.train.labels.classes,
            inputs={modality: whole.inputs[modality]},
            width=plan.width,
            stride=plan.stride,
            size=plan.size,
            shape=plan.shape,
            subpixel=plan.stride > 1 and data.task == "segmentation",
            fusion=ONLY + modality,
        )
        return cls(modality, data, config, plan.encoder, plan.device)

    @property
    def key(self) -> str:
        """Identifies all that the weights depend on."""
        return key_of(self.data, self.config, self.recipe, self.device)

    @property
    def cached(self) -> bool:
        """Whether it was trained before."""
        return encoder_cache.load(self.key) is not None

    def trained(self, report: Report) -> tuple[StateDict, Metadata]:
        """The encoder's weights and the record of its training; from the cache where they are there."""
        key, name = self.key, f"encoder {self.modality}"
        found = encoder_cache.load(key)
        if found is None:
            model = built(self.config, self.recipe.seed, name, self.device)
            best = fit(stage_of(name, model, self.data, self.recipe, (key, encoder_cache.state_file(key))), report)
            weights = {n: value.cpu() for n, value in model.encoders[self.modality].state_dict().items()}
            found = weights, record_of(self.recipe, best, self.data.metric)
            encoder_cache.save(key, *found)
        return found


def train_encoders(
    splits: Splits, plan: Plan, whole: ModelConfig, modalities: Sequence[str], report: Report
) -> TrainedEncoders:
    """The encoders of ``modalities`` for a model of the configuration ``whole``; from the cache where they are there.

    Raises UsageError when the source knows no signatures, Interrupted on ctrl-C.
    """
    data = {m: with_signatures(splits, m, plan.size, plan.stride) for m in modalities}
    return all_trained([EncoderStage.of(m, data[m], plan, whole) for m in modalities], report)


def all_trained(stages: Sequence[EncoderStage], report: Report) -> TrainedEncoders:
    """The encoders of these stages."""
    found = {stage.modality: stage.trained(report) for stage in stages}
    return TrainedEncoders({m: state for m, (state, _) in found.items()}, {m: r for m, (_, r) in found.items()})
