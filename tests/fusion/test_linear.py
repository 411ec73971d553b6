"""Weighted sums against their equation, item by item and token by token in numpy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from mmbench.fusion.base import Fusion, build_fusion
from mmbench.fusion.feature import Feature

Present = dict[str, Tensor]
weighted = pytest.mark.parametrize("name", ["feat_linear", "sum", "model_linear", "late"])


@weighted
def test_equals_the_equation(operator: Fusion, features: dict[str, Feature], mixed: Present) -> None:
    """y = (M / |P|) sum_{m in P} a_m x_m over what is present, 0 and padding where nothing is."""
    weights = {n: p.item() for n, p in operator.named_parameters()}
    fused = operator(features, mixed)
    for b, token in np.ndindex(fused.x.shape[:2]):
        there = [m for m in features if mixed[m][b]]
        expected = sum(weights[f"weight.{m}"] * features[m].x[b, token].double().numpy() for m in there)
        expected = np.zeros(5) + expected * len(features) / max(1, len(there))
        np.testing.assert_allclose(fused.x[b, token].detach().numpy(), expected, atol=1e-5)
        assert bool(fused.pad[b, token]) == (not there)


@weighted
def test_starts_as_the_mean(
    name: str, modalities: tuple[str, ...], features: dict[str, Feature], mixed: Present
) -> None:
    """Untrained, it is the mean of what is present."""
    fused = build_fusion(name, modalities, 5, {})(features, mixed).x
    expected = torch.stack([features[m].x[0] for m in modalities]).mean(dim=0)
    torch.testing.assert_close(fused[0], expected)
