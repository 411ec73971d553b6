"""What is trained, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch

from mmbench.models.config import BackboneName, BridgeKind, Stride
from mmbench.models.recipe import Recipe
from mmbench.models.tasks.task import Size

# Where the encoders come from: trained with the rest; on their signatures and then kept; or then trained on.
Encoders = Literal["joint", "frozen", "finetuned"]


@dataclass(frozen=True, slots=True)
class Plan:
    """What is trained.

    ``backbones`` by kind of input come from the folder ``pretrained``, or are trained from scratch. ``encoder`` is the
    recipe of the encoders' own stage, unused where they are trained jointly.

    ``shares_encoders``: frozen encoders are written into files of their own, which other checkpoints name, too.
    """

    fusion: str
    recipe: Recipe
    encoder: Recipe
    output: Path
    device: torch.device
    encoders: Encoders = "joint"
    width: int = 16
    stride: Stride = 1
    subpixel: bool = False
    bridge: BridgeKind = "mlp"
    pretrained: Path | None = None
    backbones: Mapping[str, BackboneName] = field(default_factory=dict)
    beam: int = 3
    size: Size | None = None
    shape: Size | None = None
    fusion_options: Mapping[str, Any] = field(default_factory=dict)
    shares_encoders: bool = False

    @property
    def state_file(self) -> Path:
        """Where the unfinished training is kept."""
        return self.output.with_name(f"{self.output.name}.training")
