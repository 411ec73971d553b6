"""Tensor fusions: how large they are, and that one of low rank is a full one."""

from __future__ import annotations

import pytest
import torch

from mmbench.core.errors import UsageError
from mmbench.fusion.base import build_fusion
from mmbench.fusion.feature import Feature


def test_four_modalities_make_a_tensor_too_large() -> None:
    with pytest.raises(UsageError, match=r"at most 3 modalities, not 4: .* use low_rank_tensor"):
        build_fusion("tensor_fusion", ("a", "b", "c", "d"), 4, {})


@pytest.mark.parametrize(("count", "rank"), [(1, 4), (2, 4), (3, 2)])
def test_every_factor_of_low_rank_is_counted(count: int, rank: int) -> None:
    """M R d (d + 1) weights in factors, all of them parameters; 256 wide, rank 4: 526 thousand for two modalities."""
    built = build_fusion("low_rank_tensor", "abc"[:count], 6, {"rank": rank})
    factors = count * rank * 6 * 7
    assert sum(p.numel() for p in built.parameters()) == factors + rank + 6 + count * 6
    assert sum(v.numel() for v in built.state_dict().values()) == factors + rank + 6 + count * 6


def test_low_rank_is_a_tensor_applied_to_the_outer_product() -> None:
    """The tensor sum_r w_r F_1^r o F_2^r, contracted with [n_1; 1] and [n_2; 1], gives the same."""
    torch.manual_seed(0)
    built = build_fusion("low_rank_tensor", ("a", "b"), 4, {"rank": 3})
    x = {m: torch.randn(2, 1, 4) for m in "ab"}
    features = {m: Feature(v, torch.zeros(2, 1, dtype=torch.bool)) for m, v in x.items()}
    present = dict.fromkeys("ab", torch.ones(2, dtype=torch.bool))
    tensor = torch.einsum("r,roi,roj->oij", built.weight, built.factor["a"], built.factor["b"])
    one, two = (torch.cat([torch.layer_norm(v[:, 0], (4,)), torch.ones(2, 1)], dim=1) for v in x.values())
    expected = torch.einsum("oij,bi,bj->bo", tensor, one, two) + built.bias
    torch.testing.assert_close(built(features, present).x[:, 0], expected)
