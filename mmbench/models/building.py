"""From a plan and its data to a model with fresh weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from mmbench.core import registry
from mmbench.core.errors import UsageError
from mmbench.core.source import Modality, Source
from mmbench.models.assembled import FusionModel
from mmbench.models.config import ONLY, ModelConfig, ReferenceTask
from mmbench.models.plan import Plan
from mmbench.models.randomness import seeded
from mmbench.models.serving import check_served
from mmbench.models.stages import Labelled
from mmbench.models.survey import inputs_of, label_counts


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


def config_of(plan: Plan, data: Labelled) -> ModelConfig:
    """The configuration of the planned model; raises SampleError when a sample is broken."""
    return ModelConfig(
        task=data.task,
        classes=data.train.labels.classes,
        inputs=inputs_of(data.train, data.splits.train.ids),
        width=plan.width,
        stride=plan.stride,
        size=plan.size,
        shape=plan.shape,
        subpixel=plan.subpixel,
        length=data.train.labels.length,
        beam=plan.beam,
        fusion=plan.fusion,
        fusion_options=with_prior(plan.fusion, plan.fusion_options, data),
    )


def with_prior(fusion: str, options: Mapping[str, Any], data: Labelled) -> dict[str, Any]:
    """The options, with the share of each class in the training labels where the fusion needs it."""
    if fusion.startswith(ONLY) or not registry.fusion.get(fusion).needs_prior or "prior" in options:
        return dict(options)
    counts = label_counts(data.train, data.splits.train.ids) + 1  # a class that was never seen is rare, not impossible
    return {**options, "prior": (counts / counts.sum()).tolist()}


def built(config: ModelConfig, seed: int, name: str, device: torch.device) -> FusionModel:
    """The model, its weights drawn from the seed and the stage's name."""
    with seeded(seed, name):
        return FusionModel(config).to(device)
