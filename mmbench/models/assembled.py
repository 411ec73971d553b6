"""The reference model: one encoder per modality, a fusion, a head for the task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from mmbench.content import explain
from mmbench.core.errors import LoadError, UnknownName, UsageError
from mmbench.fusion.base import FUSED, Decision, Fusion, Single, build_fusion, fusion_level
from mmbench.fusion.feature import Feature, aligned, from_map, to_map
from mmbench.models.bridges import Bridge, MeanBridge
from mmbench.models.checkpoint import Metadata, read_checkpoint
from mmbench.models.config import ModelConfig, PictureConfig, TextConfig
from mmbench.models.dense_encoder import DenseEncoder
from mmbench.models.encoders import encoder, normaliser
from mmbench.models.shared_encoders import with_shared
from mmbench.models.tasks.catalogue import TASKS
from mmbench.models.tasks.task import Asked, Size
from mmbench.models.vocabulary import PAD, numbering

# Under this name the ModelConfig stands in a checkpoint's metadata.
CONFIG_KEY = "config"
Value = Tensor | Sequence[str]


class FusionModel(nn.Module):
    """Follows the model's contract: inputs by modality name, what the task asks for comes out.

    Images are float32 [B,channels,H,W] in 0..1, planes float32 [B,1,H,W] in the suite's unit, texts B strings (or
    numbers of words int64 [B,L]), recordings float32 [B,T] with NaN behind the end of the shorter ones. They are
    normalised inside. A modality that is None or left out is absent for the whole batch; ``outputs`` takes absence by
    item.

    Raises UsageError when the fusion does not serve the task or these inputs.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.kind = TASKS[config.task]
        self._vocabularies = {m: numbering(t) for m, t in config.inputs.items() if isinstance(t, TextConfig)}
        self.normalise = nn.ModuleDict({m: normaliser(table) for m, table in config.inputs.items()})
        self.fusion = _fusion(config, self.kind.channels(config))
        self.encoders = _encoders(config, self.fusion)
        self.bridges = _bridges(config, self.fusion, self.kind.on_grid)
        self.heads = nn.ModuleDict({name: self.kind.head(config) for name in self.fusion.heads})

    @property
    def task(self) -> str:
        """The task of the suites that the model fits."""
        return self.config.task

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names; the index is the label."""
        return self.config.classes

    @property
    def modalities(self) -> tuple[str, ...]:
        """The inputs, in order."""
        return tuple(self.config.inputs)

    @property
    def accepts_missing(self) -> bool:
        """Whether an input may be absent: with two or more there is something left."""
        return len(self.config.inputs) > 1

    @property
    def preprocess(self) -> dict[str, Any]:
        """What is to be done to the inputs before ``forward``; mean and std are subtracted inside."""
        return {} if self.config.size is None else {"size": self.config.size}

    def forward(self, **inputs: Value | None) -> Any:
        """What the task asks for; raises ValueError when every input is absent or one is unknown."""
        given = {m: x for m, x in inputs.items() if x is not None}
        if not given or not given.keys() <= self.config.inputs.keys():
            raise ValueError(f"expected inputs among {', '.join(self.modalities)}, found {', '.join(given) or 'none'}")
        count, device = len(next(iter(given.values()))), next(self.parameters()).device
        present = {m: torch.full((count,), m in given, device=device) for m in self.config.inputs}
        filled = {m: given[m] if m in given else self._placeholder(m, count, given) for m in self.config.inputs}
        return self.outputs(filled, present)

    def outputs(self, inputs: Mapping[str, Value], present: Mapping[str, Tensor]) -> Any:
        """As ``forward``, with every input there and ``present[m]`` bool [B]; what is absent is not read."""
        return self.answer(self.features(inputs, present), present, self.picture_size(inputs))

    def answer(self, features: Mapping[str, Feature], present: Mapping[str, Tensor], size: Size | None) -> Any:
        """What the task asks for, from the features; ``size`` (height, width) is that of the pictures."""
        first = next(iter(present.values()))
        asked = Asked(self.config, len(first), first.device, size)
        # A decoder asks once for every word.
        bridged = self._bridged(features)
        return self.kind.answer(lambda query: self._decided(bridged, present, query).logits, asked)

    def features(self, inputs: Mapping[str, Value], present: Mapping[str, Tensor]) -> dict[str, Feature]:
        """What the encoders see: a Feature of each modality, or FUSED where the inputs are joined before."""
        kept = {m: self._kept(m, inputs[m], present[m]) for m in self.config.inputs}
        if self.fusion.level == "inputs":
            joined = self.fusion.fuse({m: from_map(x) for m, x in kept.items()}, present)
            return {FUSED: from_map(self.encoders[FUSED](to_map(joined)))}
        return {m: _as_feature(self.encoders[m](x)) for m, x in kept.items()}

    def decide(
        self, features: Mapping[str, Feature], present: Mapping[str, Tensor], query: Tensor | None = None
    ) -> Decision:
        """The logits that the fusion and the heads make of the features, and of ``query`` where the task has one."""
        return self._decided(self._bridged(features), present, query)

    def picture_size(self, inputs: Mapping[str, Value]) -> Size | None:
        """Height and width of the first picture, None where there is none."""
        sizes = (x.shape[-2:] for x in inputs.values() if isinstance(x, Tensor) and x.ndim == 4)
        return next(((size[0], size[1]) for size in sizes), None)

    def _bridged(self, features: Mapping[str, Feature]) -> Mapping[str, Feature]:
        bridged = {m: self.bridges[m](f) if m in self.bridges else f for m, f in features.items()}
        return aligned(bridged) if self.kind.on_grid and self.fusion.layout == "aligned" else bridged

    def _decided(self, bridged: Mapping[str, Feature], present: Mapping[str, Tensor], query: Tensor | None) -> Decision:
        heads = {name: head if query is None else partial(head, query=query) for name, head in self.heads.items()}
        return self.fusion.decide(bridged, present, heads)

    def _kept(self, modality: str, x: Value, present: Tensor) -> Tensor:
        """The normalised input, zeros where it is absent, so that NaN does not spread."""
        if not isinstance(x, Tensor):
            x = self._vocabularies[modality].encode(x).to(present.device)
        normal = self.normalise[modality](x)
        return torch.where(present.view(-1, *[1] * (normal.ndim - 1)), normal, PAD)

    def _placeholder(self, modality: str, count: int, given: Mapping[str, Value]) -> Value:
        """Anything of the right shape: it is not read."""
        table = self.config.inputs[modality]
        if isinstance(table, TextConfig):
            return [""] * count
        like = next(self.parameters())
        if isinstance(table, PictureConfig):
            size = self.picture_size(given) or self.config.shape
            if size is None:
                raise ValueError(f"expected at least one picture, found {', '.join(given)}")
            return like.new_zeros(count, table.channels, *size)
        return like.new_zeros(count, table.rate)


def load_model(path: Path) -> tuple[FusionModel, Metadata]:
    """The self-contained model in a checkpoint, in evaluation mode, and the metadata; raises LoadError."""
    state, metadata = read_checkpoint(path)
    state = with_shared(path, state, metadata)
    try:
        config = ModelConfig.model_validate(metadata.get(CONFIG_KEY))
        model = FusionModel(config)
    except ValidationError as error:
        raise LoadError(
            f"The model in {path} cannot be built: {explain(error)}; it is from another version."
        ) from error
    except (UnknownName, UsageError) as error:
        raise LoadError(f"The model in {path} cannot be built: {error}") from error
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        problem = " ".join(str(error).split()).partition(": ")[2][:200]
        raise LoadError(f"The weights in {path} do not fit the model that it describes: {problem}") from error
    return model.eval(), metadata


def _as_feature(encoded: Feature | Tensor) -> Feature:
    return from_map(encoded) if isinstance(encoded, Tensor) else encoded


def _pictures(config: ModelConfig) -> list[str]:
    return [m for m, table in config.inputs.items() if isinstance(table, PictureConfig)]


def _fusion(config: ModelConfig, channels: int) -> Fusion:
    names = tuple(config.inputs)
    if config.unimodal:
        return Single(names, config.width)
    level = fusion_level(config.fusion, config.fusion_options)
    if level == "inputs" and _pictures(config) != list(names):
        other = next(m for m in names if m not in _pictures(config))
        raise UsageError(
            f"The fusion {config.fusion!r} joins pictures on one grid, and {other!r} is none; use another."
        )
    width = channels if level == "logits" else config.width
    return build_fusion(config.fusion, names, width, config.fusion_options)


def _encoders(config: ModelConfig, fusion: Fusion) -> nn.ModuleDict:
    if fusion.level == "inputs":
        channels = sum(table.channels for table in config.inputs.values()) + len(config.inputs)
        return nn.ModuleDict({FUSED: DenseEncoder(channels, config.width, config.stride)})
    return nn.ModuleDict({m: encoder(table, config.width, config.stride) for m, table in config.inputs.items()})


def _bridges(config: ModelConfig, fusion: Fusion, on_grid: bool) -> nn.ModuleDict:
    """For what has no place in the output: all where the task has no grid, else all that is no picture."""
    pictures = _pictures(config)
    if on_grid and next(iter(config.inputs)) not in pictures:
        raise UsageError(
            f"A model of {config.task} needs a picture as its first input, found {next(iter(config.inputs))!r}; "
            "a text or a recording alone has no places."
        )
    if on_grid:
        names = [m for m in config.inputs if m not in pictures]
    else:
        names = [FUSED] if fusion.level == "inputs" else list(config.inputs)
    together = fusion.layout == "aligned"
    return nn.ModuleDict(
        {m: MeanBridge(together) if config.bridge == "mean" else Bridge(config.width, together) for m in names}
    )
