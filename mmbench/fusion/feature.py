"""What a fusion joins: the tokens of one modality, with their layout."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor


class Feature(NamedTuple):
    """Tokens of one modality, or of all of them after fusion. A NamedTuple is a pytree: torch.export passes it through.

    ``x`` float [B,L,d] tokens; ``pad`` bool [B,L], True where there is no token (its content means nothing, it may be
    NaN); ``grid`` the layout of the L tokens in row-major order, (H,W), (T,) or (T,H,W), None for a plain sequence.
    """

    x: Tensor
    pad: Tensor
    grid: tuple[int, ...] | None = None


def from_map(x: Tensor) -> Feature:
    """A dense map float [B,d,H,W] as B x (H*W) tokens, none of them padded."""
    pad = torch.zeros(x.shape[0], x.shape[2] * x.shape[3], dtype=torch.bool, device=x.device)
    return Feature(x.flatten(2).transpose(1, 2), pad, (x.shape[2], x.shape[3]))


def to_map(feature: Feature) -> Tensor:
    """The inverse of ``from_map``: float [B,d,H,W]; raises ValueError when the grid is not two-dimensional."""
    if feature.grid is None or len(feature.grid) != 2:
        raise ValueError(f"expected tokens on a grid (H,W), found grid {feature.grid}")
    batch, _, channels = feature.x.shape
    return feature.x.transpose(1, 2).reshape(batch, channels, *feature.grid)


def planes(x: Tensor, grid: tuple[int, ...] | None) -> Tensor:
    """Tokens float [B,L,d] as maps that a 2-D convolution takes: [B,d,H,W] of a grid (H,W), [B*T,d,H,W] of (T,H,W).

    A sequence of L tokens is a map of one row, [B,d,1,L].
    """
    *frames, height, width = (1, x.shape[1]) if grid is None or len(grid) < 2 else grid
    return x.reshape(len(x) * math.prod(frames), height, width, x.shape[2]).permute(0, 3, 1, 2)


def unplaned(maps: Tensor, grid: tuple[int, ...] | None) -> Tensor:
    """The inverse of ``planes``: tokens float [B,L,d]."""
    frames = grid[0] if grid is not None and len(grid) == 3 else 1
    tokens = maps.flatten(2).transpose(1, 2)
    return tokens.reshape(len(maps) // frames, frames * tokens.shape[1], tokens.shape[2])


def absent(feature: Feature, present: Tensor) -> Tensor:
    """bool [B,L,1]: tokens that must not be read, because their modality is absent (``present`` bool [B]) or padded."""
    return (~present[:, None] | feature.pad)[..., None]


def aligned(features: Mapping[str, Feature]) -> dict[str, Feature]:
    """The features with one layout, so that token l of each means the same place.

    A feature of a single token is spread over the layout of the others (tile and concat). Raises ValueError when the
    layouts differ otherwise.
    """
    layouts = {(f.x.shape[1], f.grid) for f in features.values() if f.x.shape[1] != 1}
    if len(layouts) > 1:
        found = ", ".join(f"{m} {f.x.shape[1]} tokens on grid {f.grid}" for m, f in features.items())
        raise ValueError(f"expected features of one layout, found {found}")
    if not layouts:
        return dict(features)
    length, grid = layouts.pop()
    return {m: _spread(f, length, grid) for m, f in features.items()}


def onto(feature: Feature, anchor: Feature) -> Feature:
    """The feature in the layout of the anchor: as it is if it has that, else the mean of its tokens at every place."""
    length = anchor.x.shape[1]
    if (feature.x.shape[1], feature.grid) == (length, anchor.grid):
        return feature
    kept = ~feature.pad[..., None]
    mean = feature.x.masked_fill(~kept, 0).sum(dim=1, keepdim=True) / kept.sum(dim=1, keepdim=True).clamp(min=1)
    nothing = feature.pad.all(dim=1, keepdim=True)
    return Feature(mean.expand(-1, length, -1), nothing.expand(-1, length), anchor.grid)


def _spread(feature: Feature, length: int, grid: tuple[int, ...] | None) -> Feature:
    if feature.x.shape[1] == length:
        return feature
    return Feature(feature.x.expand(-1, length, -1), feature.pad.expand(-1, length), grid)
