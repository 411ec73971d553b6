"""From what the user chose to a plan: defaults by the kind of data, each of which a flag overrides."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch

from mmbench.core.errors import UsageError
from mmbench.core.source import SignedSource
from mmbench.models.augment import Augmentation
from mmbench.models.config import ONLY
from mmbench.models.recipe import Precision, Recipe
from mmbench.models.splits import Splits
from mmbench.models.training import Encoders, Plan

# From this side length on features are computed at half the resolution of the input.
_LARGE = 192
Stride = Literal[1, 2, 4]
# Random views of real images are at most this large: the default budget then takes minutes on two cores, not hours.
_VIEW_PIXELS = 180 * 240


@dataclass(frozen=True, slots=True)
class Choices:
    """The flags of ``mmbench train``; None where the default for this kind of data is taken."""

    fusion: str
    output: Path
    seed: int = 0
    steps: int | None = None
    encoder_steps: int | None = None
    encoders: Encoders | None = None
    batch_size: int | None = None
    rate: float | None = None
    width: int | None = None
    stride: Stride | None = None
    size: tuple[int, int] | None = None
    crop: tuple[int, int] | None = None
    augmentation: Augmentation | None = None
    class_weight_power: float | None = None
    precision: Precision = "fp32"
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    fusion_options: Mapping[str, Any] = field(default_factory=dict)


def plan(splits: Splits, choices: Choices) -> Plan:
    """The plan; raises UsageError when a choice makes no sense, SampleError when the first sample is broken."""
    if choices.output.is_dir():
        raise UsageError(f"-o {choices.output} is a folder; expected the checkpoint's file name, as in -o my.ckpt.")
    if choices.fusion_options and choices.fusion.startswith(ONLY):
        raise UsageError(f"--fusion-set is for fusions, and {choices.fusion} has none; leave it out.")
    signed = isinstance(splits.train, SignedSource)
    recipe = _recipe(splits, choices, signed)
    side = max(choices.size or _first_size(splits))
    return Plan(
        fusion=choices.fusion,
        recipe=recipe,
        encoder=recipe.model_copy(update={"steps": choices.encoder_steps or 1500, "modality_dropout": 0.0}),
        output=choices.output,
        device=choices.device,
        encoders=choices.encoders or ("frozen" if signed else "joint"),
        width=choices.width or 16,
        stride=choices.stride or (2 if side >= _LARGE else 1),
        size=choices.size,
        fusion_options=choices.fusion_options,
    )


def _recipe(splits: Splits, choices: Choices, signed: bool) -> Recipe:
    augmentation = choices.augmentation or ("none" if signed else "crop")
    crop = choices.crop or _view(choices.size or _first_size(splits))
    power = choices.class_weight_power
    return Recipe(
        steps=choices.steps or 600,
        batch_size=choices.batch_size or (32 if signed else 8),
        rate=choices.rate or 3e-3,
        class_weight_power=0.5 if power is None else power,
        modality_dropout=0.1,
        augmentation=augmentation,
        crop=crop if augmentation == "crop" else None,
        precision=choices.precision,
        seed=choices.seed,
    )


def _view(size: tuple[int, int]) -> tuple[int, int]:
    """The largest view of these proportions that is small enough, whole if the images are."""
    scale = min(1.0, math.sqrt(_VIEW_PIXELS / (size[0] * size[1])))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _first_size(splits: Splits) -> tuple[int, int]:
    target = splits.train.load(splits.train.ids[0]).target
    return int(target.shape[0]), int(target.shape[1])
