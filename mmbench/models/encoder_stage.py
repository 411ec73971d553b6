"""The encoders' own stages: each learns what its modality alone shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mmbench.core.key import digest_of
from mmbench.models import encoder_cache
from mmbench.models.assembled import FusionModel
from mmbench.models.building import built
from mmbench.models.checkpoint import Metadata, StateDict, weights_digest
from mmbench.models.config import ONLY, ModelConfig
from mmbench.models.loop import Report, fit
from mmbench.models.plan import Plan
from mmbench.models.splits import Splits
from mmbench.models.stages import key_of, record_of, stage_of, with_signatures


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


def train_encoders(
    splits: Splits, plan: Plan, whole: ModelConfig, modalities: Sequence[str], report: Report
) -> TrainedEncoders:
    """The encoders of ``modalities`` for a model of the configuration ``whole``; from the cache where they are there.

    Raises UsageError when the source knows no signatures, Interrupted on ctrl-C.
    """
    found = {m: _trained(splits, plan, m, whole, report) for m in modalities}
    return TrainedEncoders({m: state for m, (state, _) in found.items()}, {m: r for m, (_, r) in found.items()})


def _trained(
    splits: Splits, plan: Plan, modality: str, whole: ModelConfig, report: Report
) -> tuple[StateDict, Metadata]:
    data = with_signatures(splits, modality, plan.size, plan.stride)
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
    key = key_of(data, config, plan.encoder, plan.device)
    found = encoder_cache.load(key)
    if found is None:
        name = f"encoder {modality}"
        model = built(config, plan.encoder.seed, name, plan.device)
        best = fit(stage_of(name, model, data, plan.encoder, (key, encoder_cache.state_file(key))), report)
        weights = {name: value.cpu() for name, value in model.encoders[modality].state_dict().items()}
        found = weights, record_of(plan.encoder, best, data.metric)
        encoder_cache.save(key, *found)
    return found
