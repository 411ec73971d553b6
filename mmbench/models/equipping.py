"""Gives a planned model its backbones: in the configuration first, then their weights."""

from __future__ import annotations

from collections.abc import Mapping

from torch import nn

from mmbench.core.errors import LoadError, UsageError
from mmbench.models.assembled import FusionModel
from mmbench.models.config import AudioConfig, Backbone, InputConfig, ModelConfig, PictureConfig
from mmbench.models.plan import Plan
from mmbench.models.pretrained import Pretrained, read_pretrained

# Mean and standard deviation of ImageNet, on which the weights of VGG16 and ResNet were trained.
_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_PADDING = "[PAD]"
_LONGEST = 64


def pretrained_of(plan: Plan) -> dict[str, Pretrained]:
    """By name, the backbones of the plan from its folder, none without a folder; raises LoadError."""
    if plan.pretrained is None:
        return {}
    return {name: read_pretrained(plan.pretrained, name) for name in dict.fromkeys(plan.backbones.values())}


def equipped(config: ModelConfig, plan: Plan, found: Mapping[str, Pretrained]) -> ModelConfig:
    """The configuration with the plan's backbones and bridge; raises UsageError when one cannot take its input."""
    inputs = {m: _equipped(m, table, plan, found) for m, table in config.inputs.items()}
    return config.model_copy(update={"inputs": inputs, "bridge": plan.bridge})


def load_backbones(model: FusionModel, found: Mapping[str, Pretrained]) -> None:
    """Copies the weights; raises LoadError when they do not fit."""
    for m, table in model.config.inputs.items():
        backbone = None if isinstance(table, AudioConfig) else table.backbone
        part = getattr(model.encoders[m], "backbone", None) if m in model.encoders else None
        if backbone is not None and backbone.name in found and isinstance(part, nn.Module):
            found[backbone.name].load_into(part)


def _equipped(modality: str, table: InputConfig, plan: Plan, found: Mapping[str, Pretrained]) -> InputConfig:
    name = plan.backbones.get(table.kind)
    if name is None or isinstance(table, AudioConfig):
        return table
    own = found.get(name)
    backbone = Backbone(name=name) if own is None else own.table
    if isinstance(table, PictureConfig):
        if table.channels != len(_MEAN):
            raise UsageError(
                f"{name} takes images of 3 channels, and {modality!r} has {table.channels}; leave --arch out."
            )
        scale = {} if own is None else {"mean": _MEAN, "std": _STD}
        return table.model_copy(update={"backbone": backbone, **scale})
    if own is None:
        return table.model_copy(update={"backbone": backbone})
    if not own.words or own.words[0] != _PADDING:
        raise LoadError(f"The vocabulary of {name} does not begin with {_PADDING}; expected that of BERT.")
    # A word is seldom more than two pieces, and two marks stand around them.
    length = min(_LONGEST, 2 * table.length + 2)
    return table.model_copy(update={"backbone": backbone, "words": own.words, "pieces": True, "length": length})
