"""Between an encoder and the fusion of a task whose output has no grid: each token with its place, or all in one.

Each modality has its own, so that additive fusions stay additive.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu

from mmbench.fusion.feature import Feature

_FREQUENCIES = 4
_AXES = 2
_SEQUENCE = 32
PLACE_CHANNELS = 2 * _FREQUENCIES * _AXES


class Bridge(nn.Module):
    """h_l = gelu(W1 x_l + P p_l + b1), then tokens W2 h_l, or with ``pooled`` one token W3 [mean_l h_l; max_l h_l].

    p_l are sines and cosines of the token's place in its layout (Vaswani et al., Attention Is All You Need, NeurIPS
    2017), so that what a token shows is bound to where it is before places are summed over. Means and maxima are over
    the tokens that are none of the padding; without any, h is 0.
    """

    def __init__(self, width: int, pooled: bool) -> None:
        super().__init__()
        hidden = 2 * width
        self.pooled = pooled
        self.expand = nn.Linear(width, hidden)
        self.place = nn.Linear(PLACE_CHANNELS, hidden, bias=False)
        self.project = nn.Linear(2 * hidden if pooled else hidden, width)

    def forward(self, feature: Feature) -> Feature:
        """x float [B,L,d] -> float [B,L,d], or [B,1,d]."""
        gone = feature.pad[..., None]
        places = self.place(_places(feature).to(feature.x.dtype))
        hidden = gelu(self.expand(feature.x.masked_fill(gone, 0)) + places)
        if not self.pooled:
            return feature._replace(x=self.project(hidden))
        nothing = gone.all(dim=1)
        most = hidden.masked_fill(gone, -math.inf).amax(dim=1).masked_fill(nothing, 0)
        together = torch.cat([masked_mean(hidden, feature.pad), most], dim=-1)
        return Feature(self.project(together)[:, None], nothing)


class MeanBridge(nn.Module):
    """The mean of the tokens that are not padding, or with ``is_pooled`` False the tokens as they are."""

    def __init__(self, is_pooled: bool) -> None:
        super().__init__()
        self.is_pooled = is_pooled

    def forward(self, feature: Feature) -> Feature:
        """x float [B,L,d] -> float [B,1,d] or as it is."""
        return pooled(feature) if self.is_pooled else feature


def masked_mean(x: Tensor, pad: Tensor) -> Tensor:
    """float [B,L,d], bool [B,L] -> [B,d]: the mean of the tokens that are not padding; 0 where all are."""
    kept = (~pad)[..., None]
    return torch.where(kept, x, 0).sum(dim=1) / kept.sum(dim=1).clamp(min=1)


def pooled(feature: Feature) -> Feature:
    """One token, the mean of those that are not padding."""
    return Feature(masked_mean(feature.x, feature.pad)[:, None], feature.pad.all(dim=1, keepdim=True))


def _places(feature: Feature) -> Tensor:
    """float32 [L,16]: sines and cosines of pi 2**f u for the last two axes.

    u is the token's centre in 0..1 on a map, and its place over 32 in a sequence, which may be padded.
    """
    layout = feature.grid or (feature.x.shape[1],)
    spans = layout if len(layout) > 1 else (_SEQUENCE,)
    centres = [
        (torch.arange(side, device=feature.x.device) + 0.5) / span for side, span in zip(layout, spans, strict=True)
    ]
    cells = torch.stack(torch.meshgrid(*centres, indexing="ij"), dim=-1).flatten(0, -2)[:, -_AXES:]
    angles = math.pi * cells[:, :, None] * 2.0 ** torch.arange(_FREQUENCIES, device=cells.device)
    waves = torch.cat([angles.sin(), angles.cos()], dim=2).flatten(1)
    return nn.functional.pad(waves, (0, PLACE_CHANNELS - waves.shape[1]))
