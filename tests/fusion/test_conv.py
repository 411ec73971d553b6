"""Convolution over maps: which kernels there are, and that a film is convolved frame by frame."""

from __future__ import annotations

import pytest
import torch

from mmbench.core.errors import UsageError
from mmbench.fusion.base import build_fusion
from mmbench.fusion.feature import Feature


def test_frames_do_not_see_each_other() -> None:
    """On a grid (T,H,W) the answer is that of each frame alone."""
    torch.manual_seed(0)
    built = build_fusion("conv", ("a", "b"), 4, {})
    x = {m: torch.randn(2, 3 * 6, 4) for m in "ab"}
    present = dict.fromkeys("ab", torch.ones(2, dtype=torch.bool))

    def fused(start: int, stop: int, grid: tuple[int, ...]) -> torch.Tensor:
        pad = torch.zeros(2, stop - start, dtype=torch.bool)
        return built({m: Feature(v[:, start:stop], pad, grid) for m, v in x.items()}, present).x

    frames = [fused(6 * t, 6 * t + 6, (2, 3)) for t in range(3)]
    torch.testing.assert_close(fused(0, 18, (3, 2, 3)), torch.cat(frames, dim=1))


def test_a_kernel_is_1_or_3() -> None:
    with pytest.raises(UsageError, match="a kernel of 1 or 3, not 5"):
        build_fusion("conv", ("a", "b"), 4, {"kernel": 5})
