"""What the laws of fusion operators are tried on: random tokens of M modalities, any of them absent in any item."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mmbench.core import registry
from mmbench.fusion.base import Fusion, build_fusion
from mmbench.fusion.feature import Feature

NAMES = ("rgb", "depth", "text")
BATCH, WIDTH, GRID = 4, 5, (2, 3)


@pytest.fixture(params=sorted(registry.fusion.entries()))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=[1, 2, 3])
def modalities(request: pytest.FixtureRequest) -> tuple[str, ...]:
    return NAMES[: request.param]


@pytest.fixture
def operator(name: str, modalities: tuple[str, ...]) -> Fusion:
    """Built with its defaults, its weights away from their start, so that no law holds only because something is 0."""
    built = build_fusion(name, modalities, WIDTH, {}).eval()
    draws = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=draws))
    return built


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
