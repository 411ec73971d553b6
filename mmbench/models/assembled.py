"""The reference model: one encoder per modality, a fusion, a head."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError
from torch import Tensor, nn

from mmbench.content import explain
from mmbench.core.errors import LoadError, UnknownName, UsageError
from mmbench.fusion.base import FUSED, Fusion, Level, Single, build_fusion, encoder_channels, fusion_level
from mmbench.fusion.feature import Feature, from_map, to_map
from mmbench.models.checkpoint import Metadata, read_checkpoint
from mmbench.models.config import InputConfig, ModelConfig
from mmbench.models.encoders import DenseEncoder
from mmbench.models.heads import TokenClassifier, dense_logits

# Under this name the ModelConfig stands in a checkpoint's metadata.
CONFIG_KEY = "config"


class FusionModel(nn.Module):
    """Follows the model's contract: inputs by modality name, logits [B,C,H,W] at the size of the inputs.

    Images are float32 [B,channels,H,W] in 0..1, planes float32 [B,1,H,W] in the suite's unit; they are normalised
    inside. A modality that is None or left out is absent for the whole batch; ``logits`` takes absence by item.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.normalise = nn.ModuleDict({m: Normalise(table) for m, table in config.inputs.items()})
        level: Level = "features" if config.unimodal else fusion_level(config.fusion, config.fusion_options)
        channels = encoder_channels(level, {m: table.channels for m, table in config.inputs.items()})
        self.encoders = nn.ModuleDict(
            {name: DenseEncoder(taken, config.width, config.stride) for name, taken in channels.items()}
        )
        self.fusion = _fusion(config, len(config.classes) if level == "logits" else config.width)
        self.heads = nn.ModuleDict(
            {name: TokenClassifier(config.width, len(config.classes)) for name in self.fusion.heads}
        )

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

    def forward(self, **inputs: Tensor | None) -> Tensor:
        """Logits float32 [B,C,H,W]; raises ValueError when every input is absent or one is unknown."""
        given = {m: x for m, x in inputs.items() if x is not None}
        if not given or not given.keys() <= self.config.inputs.keys():
            raise ValueError(f"expected inputs among {', '.join(self.modalities)}, found {', '.join(given) or 'none'}")
        like = next(iter(given.values()))
        present = {m: like.new_full(like.shape[:1], m in given, dtype=torch.bool) for m in self.config.inputs}
        filled = {m: given.get(m, self._placeholder(m, like)) for m in self.config.inputs}
        return self.logits(filled, present)

    def logits(self, inputs: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
        """As ``forward``, with every input there and ``present[m]`` bool [B]; what is absent is not read."""
        features = self.features(inputs, present)
        size = inputs[self.modalities[0]].shape[-2:]
        return dense_logits(self.join(features, present), (size[0], size[1]))

    def features(self, inputs: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> dict[str, Feature]:
        """What the encoders see: a Feature of each modality, or FUSED where the inputs are joined before."""
        if self.fusion.level == "inputs":
            kept = {m: from_map(self.kept(m, inputs[m], present[m])) for m in self.config.inputs}
            return {FUSED: from_map(self.encoders[FUSED](to_map(self.fusion.fuse(kept, present))))}
        return {m: from_map(self.encode(m, inputs[m], present[m])) for m in self.config.inputs}

    def encode(self, modality: str, x: Tensor, present: Tensor) -> Tensor:
        """Features float [B,d,h,w] of one modality; an absent item is encoded as zeros, so that NaN does not spread."""
        return self.encoders[modality](self.kept(modality, x, present))  # type: ignore[no-any-return]

    def kept(self, modality: str, x: Tensor, present: Tensor) -> Tensor:
        """The normalised input, zeros where it is absent."""
        return torch.where(present[:, None, None, None], self.normalise[modality](x), 0)

    def join(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        """Fused logits as tokens: x float [B,L,C]."""
        return self.fusion.decide(features, present, dict(self.heads.items())).logits

    def _placeholder(self, modality: str, like: Tensor) -> Tensor:
        return like.new_zeros(like.shape[0], self.config.inputs[modality].channels, *like.shape[2:])


class Normalise(nn.Module):
    """(x - mean) / std per channel; the numbers are buffers, so that they belong to the weights and their digest."""

    mean: Tensor
    std: Tensor

    def __init__(self, table: InputConfig) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(table.mean).view(-1, 1, 1))
        self.register_buffer("std", torch.tensor(table.std).view(-1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """float32 [B,C,H,W] -> the same shape."""
        return (x - self.mean) / self.std


def load_model(path: Path) -> tuple[FusionModel, Metadata]:
    """The self-contained model in a checkpoint, in evaluation mode, and the metadata; raises LoadError."""
    state, metadata = read_checkpoint(path)
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


def _fusion(config: ModelConfig, width: int) -> Fusion:
    if config.unimodal:
        return Single(tuple(config.inputs), width)
    return build_fusion(config.fusion, tuple(config.inputs), width, config.fusion_options)
