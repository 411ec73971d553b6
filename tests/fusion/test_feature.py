"""Tokens and maps are two forms of one thing."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mmbench.fusion.feature import Feature, absent, aligned, from_map, onto, planes, to_map, unplaned

sizes = st.integers(1, 4)


@given(sizes, sizes, sizes, sizes)
def test_map_to_tokens_and_back(batch: int, channels: int, height: int, width: int) -> None:
    """``to_map`` is the inverse of ``from_map``; token (i, j) is number i * W + j."""
    x = torch.randn(batch, channels, height, width)
    feature = from_map(x)
    assert torch.equal(to_map(feature), x)
    assert torch.equal(feature.x[:, -1], x[:, :, -1, -1])
    assert feature.grid == (height, width)


def test_tokens_without_a_plane_have_no_map() -> None:
    with pytest.raises(ValueError, match=r"expected tokens on a grid \(H,W\), found grid \(3,\)"):
        to_map(Feature(torch.zeros(1, 3, 2), torch.zeros(1, 3, dtype=torch.bool), (3,)))


def test_absent_is_the_whole_item_or_its_padding() -> None:
    pad = torch.tensor([[False, True], [False, False]])
    feature = Feature(torch.zeros(2, 2, 1), pad)
    assert absent(feature, torch.tensor([True, False]))[..., 0].tolist() == [[False, True], [True, True]]


def test_unequal_layouts_are_refused() -> None:
    features = {m: from_map(torch.zeros(1, 2, *size)) for m, size in (("rgb", (2, 3)), ("depth", (3, 2)))}
    with pytest.raises(ValueError, match=r"rgb 6 tokens on grid \(2, 3\), depth 6 tokens on grid \(3, 2\)"):
        aligned(features)


@given(sizes, sizes, sizes, sizes)
def test_planes_and_back(batch: int, frames: int, height: int, width: int) -> None:
    """``unplaned`` is the inverse of ``planes`` on every kind of grid; frames of a film are items of the batch."""
    x = torch.randn(batch, frames * height * width, 3)
    for grid in (None, (x.shape[1],), (frames * height, width), (frames, height, width)):
        assert torch.equal(unplaned(planes(x, grid), grid), x)
    film = planes(x, (frames, height, width))
    assert film.shape == (batch * frames, 3, height, width)
    assert torch.equal(film[-1, :, -1, -1], x[-1, -1])


def test_onto_another_layout_is_the_mean_of_what_is_no_padding() -> None:
    pad = torch.tensor([[False, False, True], [True, True, True]])
    words = Feature(torch.tensor([[[1.0], [3.0], [float("nan")]], [[float("nan")]] * 3]), pad)
    picture = from_map(torch.zeros(2, 1, 2, 2))
    found = onto(words, picture)
    assert (found.x[0].flatten().tolist(), found.grid) == ([2.0] * 4, (2, 2))
    assert found.pad.tolist() == [[False] * 4, [True] * 4]
    assert onto(words, words) is words
