"""Trains a reference model on a suite: the encoders on their signatures where there are any, then the whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch

import mmbench
from mmbench.core import registry
from mmbench.core.errors import UsageError
from mmbench.core.source import Modality, Source
from mmbench.models import encoder_cache
from mmbench.models.assembled import CONFIG_KEY, FusionModel
from mmbench.models.checkpoint import Metadata, StateDict, save_checkpoint, weights_digest
from mmbench.models.config import ONLY, ModelConfig, ReferenceTask, Stride
from mmbench.models.loop import Report, fit
from mmbench.models.randomness import seeded
from mmbench.models.recipe import Recipe
from mmbench.models.serving import check_served
from mmbench.models.splits import Splits, reference_task
from mmbench.models.stages import Labelled, key_of, record_of, stage_of, with_signatures, with_targets
from mmbench.models.survey import inputs_of, label_counts
from mmbench.models.tasks.task import Size

# Where the encoders come from: trained with the rest; on their signatures and then kept; or then trained on.
Encoders = Literal["joint", "frozen", "finetuned"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is trained. ``encoder`` is the recipe of the encoders' own stage, unused where they are trained jointly."""

    fusion: str
    recipe: Recipe
    encoder: Recipe
    output: Path
    device: torch.device
    encoders: Encoders = "joint"
    width: int = 16
    stride: Stride = 1
    subpixel: bool = False
    beam: int = 3
    size: Size | None = None
    shape: Size | None = None
    fusion_options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def state_file(self) -> Path:
        """Where the unfinished training is kept."""
        return self.output.with_name(f"{self.output.name}.training")


@dataclass(frozen=True, slots=True)
class Trained:
    """A finished training: the model with its best weights, what the checkpoint says of it, the weights' digest."""

    model: FusionModel
    metadata: Metadata
    digest: str


def modalities_of(fusion: str, source: Source, task: ReferenceTask) -> dict[str, Modality]:
    """The inputs that a model with this fusion takes, in the source's order.

    Raises UnknownName for a fusion that is not registered, UsageError when it does not serve the task or the source has
    not the inputs that it needs.
    """
    available = dict(source.modalities)
    names = ", ".join(available)
    if fusion.startswith(ONLY):
        name = fusion.removeprefix(ONLY)
        if name not in available:
            raise UsageError(f"--fusion {fusion}: there is no modality {name!r}; the suite has: {names}.")
        return {name: available[name]}
    registry.fusion.entry(fusion)
    check_served(fusion, task)
    if len(available) < 2:
        raise UsageError(f"--fusion {fusion} joins modalities, but the suite has one; use --fusion {ONLY}{names}.")
    return available


def train(splits: Splits, plan: Plan, report: Report) -> Trained:
    """Trains, and writes the checkpoint; an unfinished training of the same plan is resumed.

    Raises SampleError when a training or validation sample is broken, UsageError when the plan does not fit the suite
    or the output cannot be written, Interrupted on ctrl-C.
    """
    data = with_targets(splits, modalities_of(plan.fusion, splits.train, reference_task(splits.spec)), plan.size)
    config = _config(plan, data)
    model = _built(config, plan, "model")
    encoders = _encoders(splits, plan, config, model, report)
    for m, (weights, _) in encoders.items():
        model.encoders[m].load_state_dict(weights)
    records = {m: record for m, (_, record) in encoders.items()}
    key = key_of(data, config, plan.recipe, plan.device, plan.encoders, records)
    frozen = tuple(model.encoders[m] for m in encoders) if plan.encoders == "frozen" else ()
    best = fit(stage_of(plan.fusion, model, data, plan.recipe, (key, plan.state_file), frozen), report)
    metadata: Metadata = {
        CONFIG_KEY: config.model_dump(mode="json"),
        "training": {
            "suite": str(splits.reference),
            **splits.record(),
            "mmbench": mmbench.__version__,
            "encoders": plan.encoders,
            **record_of(plan.recipe, best, data.metric),
            "encoder_stages": records,
        },
    }
    save_checkpoint(plan.output, model, metadata)
    plan.state_file.unlink(missing_ok=True)
    return Trained(model.eval(), metadata, weights_digest(model.state_dict()))


def _encoders(
    splits: Splits, plan: Plan, config: ModelConfig, model: FusionModel, report: Report
) -> dict[str, tuple[StateDict, Metadata]]:
    """The encoders that have a stage of their own; one of joined inputs has none, since no signature belongs to it."""
    if plan.encoders == "joint":
        return {}
    own = [m for m in config.inputs if m in model.encoders]
    return {m: _encoder(splits, plan, m, config, report) for m in own}


def _encoder(
    splits: Splits, plan: Plan, modality: str, whole: ModelConfig, report: Report
) -> tuple[StateDict, Metadata]:
    """The encoder of one modality, trained on what that modality alone shows; from the cache if it is there."""
    data = with_signatures(splits, modality, plan.size, plan.stride)
    config = whole.model_copy(
        update={
            "task": data.task,
            "classes": data.train.labels.classes,
            "inputs": {modality: whole.inputs[modality]},
            "subpixel": plan.stride > 1 and data.task == "segmentation",
            "fusion": ONLY + modality,
            "fusion_options": {},
        }
    )
    key = key_of(data, config, plan.encoder, plan.device)
    found = encoder_cache.load(key)
    if found is None:
        model = _built(config, plan, f"encoder {modality}")
        state = (key, encoder_cache.state_file(key))
        best = fit(stage_of(f"encoder {modality}", model, data, plan.encoder, state), report)
        weights = {name: value.cpu() for name, value in model.encoders[modality].state_dict().items()}
        found = weights, record_of(plan.encoder, best, data.metric)
        encoder_cache.save(key, *found)
    return found


def _config(plan: Plan, data: Labelled) -> ModelConfig:
    ids = data.splits.train.ids
    options = dict(plan.fusion_options)
    if not plan.fusion.startswith(ONLY) and registry.fusion.get(plan.fusion).needs_prior and "prior" not in options:
        counts = label_counts(data.train, ids) + 1  # a class that was never seen is rare, not impossible
        options["prior"] = (counts / counts.sum()).tolist()
    return ModelConfig(
        task=data.task,
        classes=data.train.labels.classes,
        inputs=inputs_of(data.train, ids),
        width=plan.width,
        stride=plan.stride,
        size=plan.size,
        shape=plan.shape,
        subpixel=plan.subpixel,
        length=data.train.labels.length,
        beam=plan.beam,
        fusion=plan.fusion,
        fusion_options=options,
    )


def _built(config: ModelConfig, plan: Plan, name: str) -> FusionModel:
    with seeded(plan.recipe.seed, name):
        return FusionModel(config).to(plan.device)
