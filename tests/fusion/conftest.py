"""What the laws of fusion operators are tried on: random tokens of M modalities, any of them absent in any item."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mmbench.core import registry
from mmbench.fusion.base import FUSED, Fusion, build_fusion, encoder_channels
from mmbench.fusion.feature import Feature

sys.path.insert(0, str(Path(__file__).parent))  # for the equations, which several test files read

NAMES = ("rgb", "depth", "text")
BATCH, WIDTH, GRID = 4, 5, (2, 3)
# Every operator is tried with its defaults; these are tried beside them, with two modalities.
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "feat_linear": [{"weighting": "channel"}, {"weighting": "softmax"}, {"weighting": "mean"}],
    "concat": [{"hidden": 3}],
    "conv": [{"kernel": 1}],
    "mfb": [{"factors": 1}],
    "low_rank_tensor": [{"rank": 1}],
    "tensor_fusion": [{"inner": 2}],
    "cross_attention": [{"layers": 2, "heads": 5}],
    "self_attention": [{"layers": 2}],
    "bottleneck": [{"tokens": 1, "layers": 1}],
    "perceiver": [{"latents": 2}],
    "product_of_experts": [{"prior": [0.5, 0.2, 0.1, 0.15, 0.05]}],
    "mixture_of_experts": [{"experts": 3, "top": 2, "hidden": 4}],
    "hybrid": [{"inner": "feat_linear"}, {"inner": "self_attention"}],
    "modality_dropout": [{"inner": "model_linear"}, {"inner": "cross_attention"}],
    "multitask": [{"inner": "bottleneck", "inner_options": {"layers": 1}}],
}


class Answering(nn.Module):
    """A model around the operator whose heads are the identity: what the laws of operators of every level speak of."""

    def __init__(self, operator: Fusion) -> None:
        super().__init__()
        self.operator = operator
        if operator.level == "inputs":
            taken = encoder_channels("inputs", dict.fromkeys(operator.modalities, WIDTH))[FUSED]
            self.encoder = nn.Linear(taken, WIDTH)

    def forward(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        if self.operator.level == "inputs":
            joined = self.operator(features, present)
            features = {FUSED: joined._replace(x=nn.functional.gelu(self.encoder(joined.x)))}
        heads = dict.fromkeys(self.operator.heads, lambda feature: feature)
        return self.operator.decide(features, present, heads).logits


def _cases() -> Iterator[Any]:
    entries = registry.fusion.entries()
    for name in entries:
        if registry.fusion.get(name) not in {registry.fusion.get(other) for other in entries if other < name}:
            for count in (1, 2, 3):
                yield pytest.param((name, {}, count), id=f"{name}-{count}")
            for options in VARIANTS.get(name, ()):
                yield pytest.param((name, options, 2), id=f"{name}-{'-'.join(map(str, options.values()))}")


@pytest.fixture(params=list(_cases()))
def case(request: pytest.FixtureRequest) -> tuple[str, dict[str, Any], int]:
    """Name, options and M of an operator; of two names of one class the first."""
    return request.param


@pytest.fixture
def modalities(case: tuple[str, dict[str, Any], int]) -> tuple[str, ...]:
    return NAMES[: case[2]]


@pytest.fixture
def fresh(case: tuple[str, dict[str, Any], int], modalities: tuple[str, ...]) -> Answering:
    """As built, before any training."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return Answering(build_fusion(case[0], modalities, WIDTH, case[1])).eval()


@pytest.fixture
def model(fresh: Answering) -> Answering:
    """Its weights away from their start, so that no law holds only because something is 0."""
    draws = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in fresh.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draws))
    return fresh


@pytest.fixture
def operator(model: Answering) -> Fusion:
    return model.operator


@pytest.fixture
def features(modalities: tuple[str, ...]) -> dict[str, Feature]:
    draws = torch.Generator().manual_seed(0)
    length = GRID[0] * GRID[1]
    pad = torch.zeros(BATCH, length, dtype=torch.bool)
    return {m: Feature(torch.randn(BATCH, length, WIDTH, generator=draws), pad, GRID) for m in modalities}


@pytest.fixture
def mixed(modalities: tuple[str, ...]) -> dict[str, Tensor]:
    """Item 0 has every modality; each other one lacks one, in turn (with one modality: item 1 has none)."""
    lacking = torch.arange(BATCH) - 1
    return {m: (lacking < 0) | (lacking % max(2, len(modalities)) != n) for n, m in enumerate(modalities)}


@pytest.fixture
def everyone(modalities: tuple[str, ...]) -> dict[str, Tensor]:
    return {m: torch.ones(BATCH, dtype=torch.bool) for m in modalities}
