"""Heads: from fused tokens to logits. Linear, so that behind an additive fusion the whole model stays additive."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import interpolate

from mmbench.fusion.feature import Feature, from_map, to_map


class TokenClassifier(nn.Module):
    """Logits of each token, a linear map."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.classify = nn.Linear(width, classes)

    def forward(self, feature: Feature) -> Feature:
        """x float [B,L,d] -> x float [B,L,C]."""
        return feature._replace(x=self.classify(feature.x))


class PixelClassifier(nn.Module):
    """Logits of each of the ``stride`` x ``stride`` pixels of a token, a linear map of it.

    Sub-pixel convolution (Shi et al., CVPR 2016): features at a coarse stride still give sharp masks.
    """

    def __init__(self, width: int, classes: int, stride: int) -> None:
        super().__init__()
        self.stride = stride
        self.classify = nn.Linear(width, classes * stride**2)

    def forward(self, feature: Feature) -> Feature:
        """x float [B,h w,d] on the grid (h,w) -> x float [B,(stride h)(stride w),C]; nothing is padding."""
        maps = to_map(feature._replace(x=self.classify(feature.x)))
        # Tokens are channels-last, and pixel_shuffle keeps that; the loss and the decision want planes.
        batch, _, height, width = maps.shape
        blocks = maps.reshape(batch, -1, self.stride, self.stride, height, width).permute(0, 1, 4, 2, 5, 3)
        return from_map(blocks.reshape(batch, -1, height * self.stride, width * self.stride))


def dense_logits(feature: Feature, size: tuple[int, int]) -> Tensor:
    """Tokens of logits on a grid -> float32 [B,C,H,W] of the given size (bilinear, half-pixel centres)."""
    logits = to_map(feature).float()
    if logits.shape[-2:] == size:
        return logits.contiguous()
    return interpolate(logits, size=size, mode="bilinear", align_corners=False)
