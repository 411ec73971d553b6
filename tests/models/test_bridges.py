"""Tokens with places, and all tokens in one."""

from __future__ import annotations

import math

import pytest
import torch

from mmbench.fusion.feature import Feature
from mmbench.models.bridges import Bridge, masked_mean, pooled


def feature(length: int = 6, grid: tuple[int, ...] | None = (2, 3), dirty: float = math.nan) -> Feature:
    """Two items; of the second the last two tokens are padding with anything in it."""
    x = torch.rand(2, length, 4, generator=torch.Generator().manual_seed(1))
    pad = torch.zeros(2, length, dtype=torch.bool)
    pad[1, -2:] = True
    x[1, -2:] = dirty
    return Feature(x, pad, grid)


def bridge(is_pooled: bool) -> Bridge:
    torch.manual_seed(0)
    return Bridge(4, is_pooled)


@pytest.mark.parametrize("is_pooled", [True, False])
def test_padding_is_not_read(is_pooled: bool) -> None:
    """NaN or numbers in what is padding: the same tokens elsewhere, and a finite gradient."""
    first, second = (bridge(is_pooled)(feature(dirty=dirty)) for dirty in (math.nan, 7.0))
    kept = slice(None) if is_pooled else slice(0, 4)
    assert torch.equal(first.x[:, kept], second.x[:, kept])
    assert torch.isfinite(first.x).all()
    module = bridge(is_pooled)
    module(feature()).x.sum().backward()
    assert all(torch.isfinite(p.grad).all() for p in module.parameters() if p.grad is not None)


def test_pooling_equals_a_loop() -> None:
    """W3 [mean h; max h] over the tokens that are not padding."""
    module, given = bridge(True), feature()
    hidden = torch.nn.functional.gelu(module.expand(given.x) + module.place(_waves(2, 3)))
    for item, count in ((0, 6), (1, 4)):
        rows = hidden[item, :count]
        expected = module.project(torch.cat([rows.mean(dim=0), rows.max(dim=0).values]))
        torch.testing.assert_close(module(given).x[item, 0], expected)


def _waves(height: int, width: int) -> torch.Tensor:
    """By row and column: four sines, then four cosines, of the row; then of the column."""
    table = []
    for i in range(height):
        for j in range(width):
            row: list[float] = []
            for u in ((i + 0.5) / height, (j + 0.5) / width):
                angles = [math.pi * u * 2**f for f in range(4)]
                row += [math.sin(a) for a in angles] + [math.cos(a) for a in angles]
            table.append(row)
    return torch.tensor(table)


def test_the_same_token_elsewhere_is_another() -> None:
    """What a token shows is bound to where it is: moving it changes the pooled vector."""
    x = torch.zeros(1, 6, 4)
    x[0, 1] = 1.0
    nothing = torch.zeros(1, 6, dtype=torch.bool)
    module = bridge(True)
    here, there = module(Feature(x, nothing, (2, 3))), module(Feature(x.roll(2, dims=1), nothing, (2, 3)))
    assert not torch.allclose(here.x, there.x)


@pytest.mark.parametrize("is_pooled", [True, False])
def test_an_item_of_padding_alone_is_finite(is_pooled: bool) -> None:
    given = Feature(torch.full((1, 3, 4), math.nan), torch.ones(1, 3, dtype=torch.bool))
    found = bridge(is_pooled)(given)
    assert found.pad.all()
    assert torch.isfinite(found.x).all()


def test_means_of_what_is_there() -> None:
    given = feature()
    expected = torch.stack([given.x[0].mean(dim=0), given.x[1, :4].mean(dim=0)])
    torch.testing.assert_close(masked_mean(given.x, given.pad), expected)
    torch.testing.assert_close(pooled(given).x[:, 0], expected)
    assert not masked_mean(given.x[1:, -2:], given.pad[1:, -2:]).any()
