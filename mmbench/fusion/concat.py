"""Concatenation, then a small network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mmbench.core.registry import fusion
from mmbench.fusion.base import Fusion
from mmbench.fusion.feature import Feature, absent, aligned


@fusion("concat", needs="torch")
class Concat(Fusion):
    """y = W2 s(W1 [x_1; ..; x_M] + b1) + b2: an MLP on the concatenated features, token by token.

    s is GELU, W1 is [h, M d], W2 [d, h], with h = ``hidden`` (default 2d). In place of an absent modality stands a
    learned null token e_m in R^d. The baseline of multimodal learning (Ngiam et al., Multimodal Deep Learning, ICML
    2011); on dense maps it is channel concatenation followed by 1x1 convolutions.
    """

    def __init__(self, modalities: Sequence[str], width: int, hidden: int | None = None) -> None:
        super().__init__(modalities, width)
        hidden = hidden or 2 * width
        self.null = nn.ParameterDict({m: nn.Parameter(torch.zeros(width)) for m in self.modalities})
        self.expand = nn.Linear(width * len(self.modalities), hidden)
        self.project = nn.Linear(hidden, width)

    def fuse(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        """Nothing is padding in y: a token that no modality has is made of null tokens."""
        same = aligned(features)
        parts = [torch.where(absent(same[m], present[m]), self.null[m], same[m].x) for m in self.modalities]
        y = self.project(nn.functional.gelu(self.expand(torch.cat(parts, dim=-1))))
        first = same[self.modalities[0]]
        return Feature(y, torch.zeros_like(first.pad), first.grid)
