"""Operators around others: what is dropped in training, what the heads of a hybrid are taught."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from mmbench.core.errors import UsageError
from mmbench.fusion.base import FUSED, Fusion, build_fusion, fusion_level
from mmbench.fusion.feature import Feature

NAMES = ("a", "b", "c")


def zeros(batch: int, length: int = 1) -> dict[str, Feature]:
    pad = torch.zeros(batch, length, dtype=torch.bool)
    return {m: Feature(torch.zeros(batch, length, 1), pad) for m in NAMES}


def everyone(batch: int) -> dict[str, Tensor]:
    return {m: torch.ones(batch, dtype=torch.bool) for m in NAMES}


def dropping(p: float) -> Fusion:
    """Its answer on features of zero is a number of three bits: 1 where a modality was replaced by its null token."""
    built = build_fusion("modality_dropout", NAMES, 1, {"p": p, "inner": "sum"}).train()
    with torch.no_grad():
        for n, m in enumerate(NAMES):
            built.null[m].fill_(3 * 2**n)  # a sum starts with weights of 1/3
    return built


def dropped(built: Fusion, present: dict[str, Tensor]) -> Tensor:
    """bool [B,3]"""
    batch = len(present["a"])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        bits = built(zeros(batch), present).x.detach().flatten().round().long()
    return (bits[:, None] >> torch.arange(3)) & 1 == 1


def test_each_modality_is_dropped_as_often_as_said_but_never_all() -> None:
    """P(m dropped) = p - p^3 / 3, as one of the three is kept where all would go (20,000 draws, five sigmas)."""
    lost = dropped(dropping(0.5), everyone(20_000))
    expected = 0.5 - 0.5**3 / 3
    assert (lost.float().mean(dim=0) - expected).abs().max() < 5 * (expected * (1 - expected) / 20_000) ** 0.5
    assert not lost.all(dim=1).any()


def test_the_last_one_present_is_kept() -> None:
    """What is absent stays so, and the one that is left is never dropped."""
    present = everyone(500) | {m: torch.zeros(500, dtype=torch.bool) for m in "ab"}
    assert dropped(dropping(0.9), present).float().mean(dim=0).tolist() == [1, 1, 0]


def test_nothing_is_dropped_after_training_or_with_p_0() -> None:
    assert not dropped(dropping(0.9).eval(), everyone(50)).any()
    assert not dropped(dropping(0), everyone(50)).any()


def test_dropping_takes_the_level_of_what_it_wraps() -> None:
    assert fusion_level("modality_dropout", {}) == "features"
    assert fusion_level("modality_dropout", {"inner": "late"}) == "logits"
    built = build_fusion("modality_dropout", NAMES, 4, {"inner": "cross_attention"})
    assert (built.layout, built.additive, built.heads) == ("tokens", False, (FUSED,))
    assert build_fusion("modality_dropout", NAMES, 4, {"inner": "late"}).heads == NAMES


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("modality_dropout", {"p": 1}, "a probability below 1, not 1"),
        ("modality_dropout", {"inner": "early"}, "wraps a fusion of features or logits, and 'early' is one of inputs"),
        ("hybrid", {"inner": "late"}, "Hybrid wraps a fusion of features, and 'late' is one of logits"),
        ("multitask", {"inner": "hybrid"}, "Multitask wraps a fusion of features, and 'hybrid' is one of both"),
        ("multitask", {"inner": "concat", "inner_options": {"hiden": 2}}, "'concat' does not take the options"),
    ],
)
def test_what_cannot_be_wrapped(name: str, options: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        build_fusion(name, NAMES, 4, options)


def test_each_head_of_a_hybrid_is_taught_by_its_own_logits() -> None:
    """The experts are the logits of every head; an absent modality's are padding and teach nothing."""
    torch.manual_seed(0)
    built = build_fusion("hybrid", NAMES, 4, {"inner": "sum"})
    heads = nn.ModuleDict({name: nn.Linear(4, 2) for name in built.heads})
    features = {m: f._replace(x=torch.full((2, 1, 4), float("nan"))) for m, f in zeros(2).items()}
    features["a"] = features["a"]._replace(x=torch.randn(2, 1, 4))
    present = {m: torch.tensor([m == "a", m == "a"]) for m in NAMES}
    taken = {name: lambda f, head=head: f._replace(x=head(f.x)) for name, head in heads.items()}
    decision = built.decide(features, present, taken)
    assert set(decision.experts) == set(heads) == {*NAMES, FUSED}
    assert {m: bool(e.pad.all()) for m, e in decision.experts.items()} == {
        "a": False,
        "b": True,
        "c": True,
        FUSED: False,
    }
    (decision.logits.x.sum() + sum(e.x[~e.pad].sum() for e in decision.experts.values())).backward()
    assert {name for name, head in heads.items() if head.weight.grad.abs().sum() > 0} == {"a", FUSED}
    assert all(torch.isfinite(p.grad).all() for p in heads.parameters())


@pytest.mark.parametrize("name", ["hybrid", "multitask", "modality_dropout"])
def test_the_loss_of_what_is_wrapped_is_kept(name: str) -> None:
    built = build_fusion(name, NAMES, 1, {"inner": "mixture_of_experts", "inner_options": {"balance": 1.0}})
    with torch.no_grad():
        built.inner.gate.bias.copy_(torch.tensor([50.0, 0, 0, 0]))
    assert built.auxiliary(zeros(2), everyone(2)).item() == pytest.approx(3, abs=1e-3)
