"""Weighted sums before any training."""

from __future__ import annotations

import pytest
import torch

from mmbench.core.errors import UsageError
from mmbench.fusion.base import build_fusion
from mmbench.fusion.feature import Feature


@pytest.mark.parametrize("name", ["feat_linear", "sum", "model_linear", "late"])
@pytest.mark.parametrize("weighting", ["free", "channel", "softmax", "mean"])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_starts_as_the_mean(name: str, weighting: str, count: int) -> None:
    """Untrained, it is the mean of what is present."""
    modalities = ("rgb", "depth", "text")[:count]
    draws, pad = torch.Generator().manual_seed(0), torch.zeros(2, 6, dtype=torch.bool)
    features = {m: Feature(torch.randn(2, 6, 5, generator=draws), pad, (2, 3)) for m in modalities}
    present = {m: torch.tensor([True, n > 0 or count == 1]) for n, m in enumerate(modalities)}
    fused = build_fusion(name, modalities, 5, {"weighting": weighting})(features, present).x
    for item in range(2):
        there = [features[m].x[item] for m in modalities if present[m][item]]
        torch.testing.assert_close(fused[item], torch.stack(there).mean(dim=0))


def test_an_unknown_weighting_is_a_sentence() -> None:
    with pytest.raises(UsageError, match="is one of free, channel, softmax, mean, not 'fre'"):
        build_fusion("sum", ("rgb", "depth"), 4, {"weighting": "fre"})
