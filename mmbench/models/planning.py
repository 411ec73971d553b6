"""From what the user chose to a plan: defaults by the kind of data, each of which a flag overrides."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from mmbench.core.errors import UsageError
from mmbench.core.source import SignedSource
from mmbench.models.architectures import Architecture, architecture_named
from mmbench.models.augment import Augmentation
from mmbench.models.config import ONLY, Stride
from mmbench.models.dense_encoder import COARSEST
from mmbench.models.plan import Encoders, Plan
from mmbench.models.recipe import Balance, Precision, Recipe
from mmbench.models.splits import Splits
from mmbench.models.tasks.task import Size

# From this side length on features are computed at half the resolution of the input.
_LARGE = 192
# Random views of real images are at most this large: the default budget then takes minutes on two cores, not hours.
_VIEW_PIXELS = 180 * 240
_PICTURES = ("image", "plane")
# Class weights where encoders learn label maps, most of which is background.
_POWER = 0.5


@dataclass(frozen=True, slots=True)
class Choices:
    """The flags of ``mmbench train``; None where the default for this kind of data is taken."""

    fusion: str | None
    output: Path
    arch: str | None = None
    pretrained: Path | None = None
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
    focal: float = 0.0
    balance: Balance = "none"
    task_weights: Mapping[str, Any] = field(default_factory=dict)
    precision: Precision = "fp32"
    device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    fusion_options: Mapping[str, Any] = field(default_factory=dict)
    shares_encoders: bool = False


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a task is trained with on generated data, unless a flag says otherwise; None: by the size of the input."""

    width: int = 16
    stride: Stride | None = None
    steps: int = 600
    batch_size: int = 32
    encoder_steps: int = 1500
    encoder_augmentation: Augmentation = "none"
    class_weight_power: float = 0.5


_DEFAULTS: Mapping[str, Defaults] = MappingProxyType(
    {
        "segmentation": Defaults(),
        "referring-segmentation": Defaults(width=32, stride=4, steps=1500),
        "classification": Defaults(width=32, stride=4, steps=1500, encoder_steps=800, class_weight_power=0.0),
        "captioning": Defaults(
            width=64, stride=8, steps=5000, encoder_steps=1500, encoder_augmentation="shift", class_weight_power=0.0
        ),
        "detection": Defaults(width=32, stride=4, steps=1500, encoder_steps=1000, class_weight_power=0.0),
        "joint": Defaults(width=64, stride=8, steps=10000, encoder_steps=1500, class_weight_power=0.0),
        "vqa": Defaults(width=64, stride=8, steps=10000, encoder_steps=1500, class_weight_power=0.0),
    }
)


# No architecture by name: encoders and settings of ours.
_OWN = Architecture("segmentation", fusion="", width=None)


def plan(splits: Splits, choices: Choices) -> Plan:
    """The plan; raises UsageError when a choice makes no sense, SampleError when the first sample is broken."""
    arch = architecture_named(choices.arch, splits.spec.task) if choices.arch is not None else _OWN
    if choices.size is not None and splits.spec.task == "detection":
        raise UsageError("--size is not for detection: boxes are in pixels of the suite's pictures; leave it out.")
    fusion = choices.fusion or arch.fusion
    _check(choices, fusion, arch)
    signed = isinstance(splits.train, SignedSource)
    encoders = choices.encoders or ("frozen" if signed and not arch.backbones else "joint")
    if choices.shares_encoders and encoders != "frozen":
        raise UsageError(
            "--share-encoders is for encoders that stay as they are; use --encoders frozen, or leave it out."
        )
    defaults = _DEFAULTS[splits.spec.task]
    shape = choices.size or _first_size(splits)
    recipe = _recipe(splits, choices, signed, shape).model_copy(update=_optimised(choices, arch))
    sized: Stride = 2 if shape is not None and max(shape) >= _LARGE else 1
    stride = choices.stride or arch.stride or defaults.stride or sized
    if not arch.backbones and _sees_pictures(splits, fusion):
        _check_places(recipe.batch_size, shape, stride)
    return Plan(
        fusion=fusion,
        recipe=recipe,
        encoder=_encoder_recipe(recipe, choices, defaults),
        output=choices.output,
        device=choices.device,
        encoders=encoders,
        width=choices.width or arch.width or defaults.width,
        stride=stride,
        subpixel=signed and stride > 1 and splits.spec.spatial and not arch.backbones,
        bridge=arch.bridge,
        pretrained=choices.pretrained,
        backbones=arch.backbones,
        size=choices.size,
        shape=shape,
        fusion_options=choices.fusion_options,
        shares_encoders=choices.shares_encoders,
    )


def _check(choices: Choices, fusion: str, arch: Architecture) -> None:
    """Raises UsageError when the choices contradict each other."""
    if not fusion:
        raise UsageError("Nothing says which model is trained; give --fusion NAME, or --arch NAME.")
    if choices.output.is_dir():
        raise UsageError(f"-o {choices.output} is a folder; expected the checkpoint's file name, as in -o my.ckpt.")
    if choices.fusion_options and fusion.startswith(ONLY):
        raise UsageError(f"--fusion-set is for fusions, and {fusion} has none; leave it out.")
    if choices.pretrained is not None and not arch.backbones:
        raise UsageError("--pretrained is for an architecture with well-known encoders; give --arch NAME.")
    if arch.backbones and choices.encoders not in (None, "joint"):
        raise UsageError(f"--encoders {choices.encoders} is for encoders of mmbench; leave it out with --arch.")


def _check_places(batch_size: int, shape: Size | None, stride: Stride) -> None:
    """Batch norm takes a variance: raises UsageError where a batch has one place only at its coarsest."""
    if batch_size == 1 and shape is not None and max(shape) <= COARSEST * stride:
        raise UsageError(
            f"A batch of 1 is too small for pictures of {shape[0]}x{shape[1]} with features at 1/{stride}: batch norm "
            "needs two places or pictures; use --batch-size 2 or more, or a smaller --stride."
        )


def _sees_pictures(splits: Splits, fusion: str) -> bool:
    modalities = splits.train.modalities
    alone = modalities.get(fusion.removeprefix(ONLY)) if fusion.startswith(ONLY) else None
    return any(modality.kind in _PICTURES for modality in ([alone] if alone else modalities.values()))


def _encoder_recipe(recipe: Recipe, choices: Choices, defaults: Defaults) -> Recipe:
    augmentation = defaults.encoder_augmentation if recipe.augmentation == "none" else recipe.augmentation
    own = {
        "steps": choices.encoder_steps or defaults.encoder_steps,
        "augmentation": augmentation,
        "class_weight_power": _POWER,
    }
    neutral = {"modality_dropout": 0.0, "focal": 0.0, "task_weights": {}, "balance": "none"}
    return recipe.model_copy(update=own | neutral)


def _optimised(choices: Choices, arch: Architecture) -> dict[str, Any]:
    rate = {} if choices.rate is not None or arch is _OWN else {"rate": arch.rate}
    return {"optimiser": arch.optimiser, **rate}


def _recipe(splits: Splits, choices: Choices, signed: bool, shape: Size | None) -> Recipe:
    defaults = _DEFAULTS[splits.spec.task]
    viewed = splits.spec.task == "segmentation" and not signed and shape is not None
    augmentation = choices.augmentation or ("crop" if viewed else "none")
    crop = choices.crop or (_view(shape) if shape is not None else None)
    power = choices.class_weight_power
    return Recipe(
        steps=choices.steps or defaults.steps,
        batch_size=choices.batch_size or (defaults.batch_size if signed else 8),
        rate=choices.rate or 3e-3,
        class_weight_power=defaults.class_weight_power if power is None else power,
        focal=choices.focal,
        task_weights=_task_weights(splits, choices),
        balance=choices.balance,
        modality_dropout=0.1,
        augmentation=augmentation,
        crop=crop if augmentation == "crop" else None,
        precision=choices.precision,
        seed=choices.seed,
    )


def _task_weights(splits: Splits, choices: Choices) -> dict[str, float]:
    tasks = splits.spec.tasks
    for task, weight in choices.task_weights.items():
        if task not in tasks or not isinstance(weight, int | float) or not 0 <= weight < math.inf:
            raise UsageError(
                f"--task-weight {task}={weight} is not possible; expected TASK=WEIGHT with a weight from 0 and a task "
                f"of the suite ({', '.join(tasks)})."
            )
    return {task: float(weight) for task, weight in choices.task_weights.items()}


def _view(size: Size) -> Size:
    """The largest view of these proportions that is small enough, whole if the images are."""
    scale = min(1.0, math.sqrt(_VIEW_PIXELS / (size[0] * size[1])))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _first_size(splits: Splits) -> Size | None:
    """Height and width of the first picture; None where there is none."""
    first = splits.train.load(splits.train.ids[0])
    kinds = {m: modality.kind for m, modality in splits.train.modalities.items()}
    pictures = [x for m, x in first.inputs.items() if kinds.get(m) in _PICTURES and x is not None]
    return (int(pictures[0].shape[0]), int(pictures[0].shape[1])) if pictures else None
