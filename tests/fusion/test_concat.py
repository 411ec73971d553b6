"""Concatenation against its equation, item by item and token by token in numpy."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import erf
from torch import Tensor

from mmbench.fusion.base import Fusion
from mmbench.fusion.feature import Feature

pytestmark = pytest.mark.parametrize("name", ["concat"])


def test_equals_the_equation(operator: Fusion, features: dict[str, Feature], mixed: dict[str, Tensor]) -> None:
    """y = W2 s(W1 [x_1; ..; x_M] + b1) + b2 with s(t) = t Phi(t), and e_m for an absent x_m."""
    weights = {n: p.detach().double().numpy() for n, p in operator.named_parameters()}
    fused = operator(features, mixed).x.detach().numpy()
    for b, token in np.ndindex(fused.shape[:2]):
        parts = [features[m].x[b, token].double().numpy() if mixed[m][b] else weights[f"null.{m}"] for m in features]
        inner = _gelu(weights["expand.weight"] @ np.concatenate(parts) + weights["expand.bias"])
        expected = weights["project.weight"] @ inner + weights["project.bias"]
        np.testing.assert_allclose(fused[b, token], expected, atol=1e-4)


def _gelu(t: NDArray[np.float64]) -> NDArray[np.float64]:
    return t * 0.5 * (1 + erf(t / np.sqrt(2)))
