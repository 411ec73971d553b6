"""Codes of places, and options of operators that attend."""

from __future__ import annotations

import pytest
import torch

from mmbench.core.errors import UsageError
from mmbench.fusion.attention import positions
from mmbench.fusion.base import build_fusion
from mmbench.fusion.feature import Feature


@pytest.mark.parametrize("grid", [None, (12,), (3, 4), (4, 3), (2, 3, 2)])
@pytest.mark.parametrize("width", [6, 7, 16])
def test_every_place_has_its_own_code(grid: tuple[int, ...] | None, width: int) -> None:
    """Bounded by 1, all different, and the same whatever stands there."""
    feature = Feature(torch.randn(2, 12, width), torch.zeros(2, 12, dtype=torch.bool), grid)
    code = positions(feature)
    assert code.shape == (12, width)
    assert code.abs().max() <= 1
    assert torch.cdist(code, code).fill_diagonal_(1).min() > 0.05
    assert torch.equal(positions(feature._replace(x=feature.x * float("nan"))), code)


def test_one_latent_leaves_nothing_to_ask() -> None:
    with pytest.raises(UsageError, match="needs two latents at least, not 1"):
        build_fusion("perceiver", ("a", "b"), 4, {"latents": 1})
