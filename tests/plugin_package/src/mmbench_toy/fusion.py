"""A fusion; the only file that imports torch."""

from __future__ import annotations

import torch

from mmbench.core.registry import fusion
from mmbench.fusion.base import Fusion
from mmbench.fusion.feature import Feature


@fusion("toy-first", needs="torch")
class First(Fusion):
    """The first modality, whatever the others show."""

    def fuse(self, features, present):
        feature = features[self.modalities[0]]
        there = present[self.modalities[0]][:, None, None]
        return Feature(torch.where(there, feature.x, 0.0), feature.pad, feature.grid)
