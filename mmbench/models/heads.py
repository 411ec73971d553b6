"""Task heads: from fused tokens to the output of the task."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn.functional import interpolate

from mmbench.fusion.feature import Feature, to_map


class TokenClassifier(nn.Module):
    """Logits of each token, a linear map: behind an additive fusion the whole model stays additive."""

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.classify = nn.Linear(width, classes)

    def forward(self, feature: Feature) -> Feature:
        """x float [B,L,d] -> x float [B,L,C]."""
        return feature._replace(x=self.classify(feature.x))


def dense_logits(feature: Feature, size: tuple[int, int]) -> Tensor:
    """Tokens of logits on a grid -> float32 [B,C,H,W] of the given size (bilinear, half-pixel centres)."""
    logits = to_map(feature).float()
    if logits.shape[-2:] == size:
        return logits.contiguous()
    return interpolate(logits, size=size, mode="bilinear", align_corners=False)
