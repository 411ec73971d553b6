"""What operators on aligned features share: null tokens for what is absent, and maps of all modalities together."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mmbench.fusion.base import Fusion
from mmbench.fusion.feature import Feature, absent, aligned


class Tokenwise(Fusion):
    """An operator on aligned tokens, in which a learned null token e_m in R^d stands for an absent modality m.

    A token is padding in y when it is padding in every modality that the item has; ``mix`` reads zeros there.
    """

    def __init__(self, modalities: Sequence[str], width: int) -> None:
        super().__init__(modalities, width)
        self.null = nn.ParameterDict({m: nn.Parameter(torch.zeros(width)) for m in self.modalities})

    @abstractmethod
    def mix(self, parts: Mapping[str, Tensor], frame: Feature) -> Tensor:
        """``parts[m]`` float [B,L,d], null tokens filled in -> float [B,L,d]; ``frame`` has the layout, x is unread."""

    def fuse(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        """An item without any modality is made of null tokens, and none of them is padding."""
        frame, parts = filled(features, present, self.null)
        return frame._replace(x=self.mix(parts, frame))


def filled(
    features: Mapping[str, Feature], present: Mapping[str, Tensor], nulls: nn.ParameterDict
) -> tuple[Feature, dict[str, Tensor]]:
    """The common layout with its padding (x unread), and tokens float [B,L,d] of each modality that has a null token.

    Null tokens stand for what is absent, zeros for what is padding in every modality that the item has.
    """
    same = aligned(features)
    gone = {m: absent(same[m], present[m]) for m in nulls}
    anyone = torch.stack([present[m] for m in nulls]).any(dim=0)
    pad = torch.stack(list(gone.values())).all(dim=0) & anyone[:, None, None]
    parts = {
        m: torch.where(gone[m], null, same[m].x).masked_fill(pad, 0).to(same[m].x.dtype) for m, null in nulls.items()
    }
    return same[next(iter(nulls))]._replace(pad=pad.squeeze(-1)), parts


class JointLinear(nn.Module):
    """W [x_1; ..; x_M] + b with the block W_m in R^{out x d} of each modality by its name.

    Starts as nn.Linear of M d inputs does (uniform within 1 / sqrt(M d)).
    """

    def __init__(self, modalities: Sequence[str], width: int, out: int) -> None:
        super().__init__()
        bound = 1 / math.sqrt(width * len(modalities))
        self.blocks = nn.ParameterDict({m: _uniform(bound, out, width) for m in modalities})
        self.bias = _uniform(bound, out)

    def forward(self, parts: Mapping[str, Tensor]) -> Tensor:
        """``parts[m]`` float [..,d] -> float [..,out]."""
        x = torch.cat([parts[m] for m in self.blocks], dim=-1)
        weight = torch.cat(list(self.blocks.values()), dim=1)
        return nn.functional.linear(x, weight, self.bias)


def linear_maps(modalities: Sequence[str], width: int, out: int) -> nn.ModuleDict:
    """W_m x_m + b_m for each modality, by name."""
    return nn.ModuleDict({m: nn.Linear(width, out) for m in modalities})


def partners(modalities: Sequence[str], m: str) -> tuple[str, ...]:
    """The modalities beside m; m itself when it is alone."""
    return tuple(other for other in modalities if other != m) or (m,)


def _uniform(bound: float, *shape: int) -> nn.Parameter:
    return nn.Parameter(torch.empty(shape).uniform_(-bound, bound))


@torch.no_grad()
def normal_nulls(nulls: nn.ParameterDict) -> None:
    """Starts null tokens as N(0, 1), the scale of a LayerNorm's output: at 0 its slope is a few hundred."""
    for null in nulls.values():
        null.normal_()
