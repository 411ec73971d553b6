"""What the laws of fusion operators are tried on: random tokens of M modalities, any of them absent in any item."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from mmbench.fusion.base import FUSED, Fusion, build_fusion, encoder_channels
from mmbench.fusion.feature import Feature

sys.path.insert(0, str(Path(__file__).parent))  # for what several test files read

from cases import BATCH, GRID, NAMES, WIDTH, Case, cases, label


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


@pytest.fixture(params=list(cases()), ids=label)
def case(request: pytest.FixtureRequest) -> Case:
    """Name, options and M of an operator."""
    return request.param


@pytest.fixture
def modalities(case: Case) -> tuple[str, ...]:
    return NAMES[: case[2]]


@pytest.fixture
def fresh(case: Case, modalities: tuple[str, ...]) -> Answering:
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
