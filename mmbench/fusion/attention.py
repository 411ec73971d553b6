"""Attention over tokens: positions, masked attention, the transformer block, and sequences as it takes them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, scaled_dot_product_attention

from mmbench.fusion.base import Fusion
from mmbench.fusion.feature import Feature, absent

# Wavelengths of the position code run from 2 pi to 2 pi times this, in tokens.
_LONGEST = 100.0


class Attention(nn.Module):
    """Att(q, k, v) = softmax(q W_q (k W_k)^T / sqrt(d_h)) v W_v, by heads of d_h channels, then W_o: 4 d^2 parameters.

    Vaswani et al., Attention Is All You Need, NeurIPS 2017.
    """

    def __init__(self, width: int, heads: int | None = None) -> None:
        """``heads`` divides the width; default: up to 4."""
        super().__init__()
        self.heads = heads or math.gcd(width, 4)
        self.query, self.key, self.value, self.out = (nn.Linear(width, width) for _ in range(4))

    def forward(self, x: Tensor, memory: Tensor, seen: Tensor) -> Tensor:
        """Tokens [B,L,d] read those of ``memory`` [B,K,d] that are ``seen`` (bool [B,K], one at least) -> [B,L,d]."""
        q, k, v = (
            part.reshape(*part.shape[:2], self.heads, -1).transpose(1, 2)
            for part in (self.query(x), self.key(memory), self.value(memory))
        )
        read = scaled_dot_product_attention(q, k, v, attn_mask=seen[:, None, None, :])
        return self.out(read.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class Block(nn.Module):
    """x' = x + Att(N x, N m, N m), y = x' + FFN(N x'): a transformer block that reads m (x itself by default).

    N are LayerNorms in front (Xiong et al., On Layer Normalization in the Transformer Architecture, ICML 2020), FFN is
    W_2 s(W_1 t) with s GELU and 4d hidden channels: 12 d^2 parameters and some vectors.
    """

    def __init__(self, width: int, heads: int | None = None, crossed: bool = False) -> None:
        """``crossed`` brings a LayerNorm of its own for the memory."""
        super().__init__()
        self.before = nn.LayerNorm(width)
        self.memory = nn.LayerNorm(width) if crossed else None
        self.attention = Attention(width, heads)
        self.after = nn.LayerNorm(width)
        self.expand, self.project = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor, seen: Tensor, memory: Tensor | None = None) -> Tensor:
        """[B,L,d] -> [B,L,d]; ``seen`` bool says which tokens of the memory are read, one at least."""
        normed = self.before(x)
        read = normed if memory is None or self.memory is None else self.memory(memory)
        x = x + self.attention(normed, read, seen)
        return x + self.project(gelu(self.expand(self.after(x))))  # type: ignore[no-any-return]


class Attending(Fusion):
    """An operator on sequences: x_m + e_m + p, a learned vector of the modality and a fixed code of the position.

    What is absent or padding is masked; where everything is, attention reads one more token n that is always there,
    since a softmax over nothing is NaN.
    """

    layout = "tokens"

    def __init__(self, modalities: Sequence[str], width: int) -> None:
        super().__init__(modalities, width)
        self.kind = nn.ParameterDict({m: nn.Parameter(torch.randn(width) * 0.02) for m in self.modalities})

    def placed(
        self, features: Mapping[str, Feature], present: Mapping[str, Tensor]
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """x + e_m + p float [B,L,d] of each modality, zeros for x where it must not be read, and what is seen [B,L]."""
        gone = {m: absent(features[m], present[m]) for m in self.modalities}
        tokens = {
            m: features[m].x.masked_fill(gone[m], 0) + self.kind[m] + positions(features[m]) for m in self.modalities
        }
        return tokens, {m: ~gone[m].squeeze(-1) for m in self.modalities}

    def anchor(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        """The layout of what comes out: that of the first modality.

        Where it is absent, a sequence has one token and a map all of them.
        """
        first = features[self.modalities[0]]
        dense = first.grid is not None and len(first.grid) > 1
        later = torch.arange(first.x.shape[1], device=first.x.device) > 0
        lacking = torch.zeros_like(first.pad) if dense else later.expand_as(first.pad)
        return first._replace(pad=torch.where(present[self.modalities[0]][:, None], first.pad, lacking))


def positions(feature: Feature) -> Tensor:
    """Fixed code float [L,d] of the place on the grid, of the index in a sequence.

    Channel c is a sine or cosine of coordinate c mod A (of A axes), at wavelengths in geometric progression (Vaswani et
    al. 2017).
    """
    length, width = feature.x.shape[1:]
    sizes = feature.grid or (length,)
    axes = torch.meshgrid(*(torch.arange(n, device=feature.x.device) for n in sizes), indexing="ij")
    places = torch.stack([axis.flatten() for axis in axes]).float()
    channel = torch.arange(width, device=feature.x.device)
    number = channel // len(sizes)
    rate = _LONGEST ** -(2 * (number // 2) * len(sizes) / width)
    angle = places[channel % len(sizes)].T * rate
    return torch.where(number % 2 == 0, angle.sin(), angle.cos()).to(feature.x.dtype)


def joined(tokens: Mapping[str, Tensor], seen: Mapping[str, Tensor], null: Tensor) -> tuple[Tensor, Tensor]:
    """One sequence [n; ..tokens..] float [B,1+K,d], and what of it is seen: n always."""
    first = next(iter(tokens.values()))
    front = null.to(first.dtype).expand(len(first), 1, -1)
    always = torch.ones(len(first), 1, dtype=torch.bool, device=first.device)
    return torch.cat([front, *tokens.values()], dim=1), torch.cat([always, *seen.values()], dim=1)


def present_mean(terms: Mapping[str, Tensor], present: Mapping[str, Tensor]) -> Tensor:
    """Mean of float [B,L,d] over the modalities that an item has, over all where it has none."""
    kept = torch.stack([present[m] for m in terms])
    kept = (kept | ~kept.any(dim=0))[..., None, None]
    stacked = torch.stack(list(terms.values())).masked_fill(~kept, 0)
    return stacked.sum(dim=0) / kept.sum(dim=0).to(stacked.dtype)
