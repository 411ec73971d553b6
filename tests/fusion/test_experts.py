"""Products of experts are Bayes' rule; the balance of a mixture is 0 when all experts are weighed alike."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from mmbench.core.errors import UsageError
from mmbench.fusion.base import Fusion, build_fusion
from mmbench.fusion.feature import Feature

BOTH = ("rgb", "depth")


def vectors(*rows: list[list[float]]) -> dict[str, Feature]:
    """One token per item of each modality."""
    tokens = {m: torch.tensor(row)[:, None, :] for m, row in zip(BOTH, rows, strict=True)}
    return {m: Feature(x, torch.zeros(x.shape[:2], dtype=torch.bool)) for m, x in tokens.items()}


def who(*rows: list[bool]) -> dict[str, Tensor]:
    return {m: torch.tensor(row) for m, row in zip(BOTH, rows, strict=True)}


def test_a_product_of_experts_is_bayes_rule() -> None:
    """p(y | x_1, x_2) from p(y | x_1), p(y | x_2) and a skewed p(y), when x_1 and x_2 are independent given y."""
    draws = np.random.default_rng(0)
    prior = np.array([0.9, 0.07, 0.03])
    seen = [draws.dirichlet(np.ones(4), size=3) for _ in BOTH]  # p(x_m | y), four values each
    joint = prior[:, None, None] * seen[0][:, :, None] * seen[1][:, None, :]
    single = [prior[:, None] * p / (prior @ p) for p in seen]
    fused = build_fusion("product_of_experts", BOTH, 3, {"prior": prior.tolist()})
    for a, b in np.ndindex(4, 4):
        votes = vectors([np.log(single[0][:, a]).tolist()], [np.log(single[1][:, b]).tolist()])
        found = fused(votes, who([True], [True])).x.softmax(dim=-1)
        expected = joint[:, a, b] / joint[:, a, b].sum()
        np.testing.assert_allclose(found.detach().numpy()[0, 0], expected, atol=1e-6)


def test_the_prior_is_what_is_left_without_experts() -> None:
    fused = build_fusion("product_of_experts", BOTH, 2, {"prior": [3, 1]})
    alone = fused(vectors([[5.0, 1.0]], [[0.0, 9.0]]), who([False], [False])).x.softmax(dim=-1)
    torch.testing.assert_close(alone.flatten().detach(), torch.tensor([0.75, 0.25]))


@pytest.mark.parametrize("prior", [[0.5], [0.5, 0.5, 0.0], [1, -1, 1], [1, float("nan"), 1]])
def test_a_prior_that_is_none(prior: list[float]) -> None:
    with pytest.raises(UsageError, match="needs 3 numbers above 0, found"):
        build_fusion("product_of_experts", BOTH, 3, {"prior": prior})


def mixture(gate: list[float]) -> Fusion:
    """Four experts whose gate does not look at its input."""
    built = build_fusion("mixture_of_experts", BOTH, 2, {"balance": 0.5})
    with torch.no_grad():
        for block in built.gate.blocks.values():
            block.zero_()
        built.gate.bias.copy_(torch.tensor(gate))
    return built


FEATURES = vectors([[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]])
EVERYONE = who([True, True], [True, True])


def test_balanced_experts_cost_nothing() -> None:
    assert mixture([1.0] * 4).auxiliary(FEATURES, EVERYONE).item() == pytest.approx(0, abs=1e-6)


def test_one_expert_for_all_costs_the_most() -> None:
    """Squared coefficient of variation of (1, 0, 0, 0): 3, times the weight."""
    assert mixture([99.0, 0, 0, 0]).auxiliary(FEATURES, EVERYONE).item() == pytest.approx(0.5 * 3)


def test_balance_does_not_count_padding() -> None:
    torch.manual_seed(0)
    built = build_fusion("mixture_of_experts", BOTH, 2, {})
    padded = {
        m: Feature(torch.cat([f.x, torch.full_like(f.x, 50)], dim=1), torch.tensor([[False, True]] * 2))
        for m, f in FEATURES.items()
    }
    assert built.auxiliary(padded, EVERYONE).item() == pytest.approx(built.auxiliary(FEATURES, EVERYONE).item())


def test_the_balance_is_in_the_decision() -> None:
    built = mixture([3.0, 0, 0, 0])
    decision = built.decide(FEATURES, EVERYONE, {"fused": lambda feature: feature})
    assert torch.equal(decision.auxiliary, built.auxiliary(FEATURES, EVERYONE))
    decision.auxiliary.backward()
    assert built.gate.bias.grad.abs().sum() > 0


@pytest.mark.parametrize("options", [{"experts": 1}, {"top": 1}, {"top": 5}])
def test_a_gate_without_a_choice_is_refused(options: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="2 experts at least answer"):
        build_fusion("mixture_of_experts", BOTH, 2, options)
