"""Geometry: integer outlines that fill their box, in cells of their own."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.sources.scenes.geometry import GRID, SHAPES, SIZES, area, corner, distinct_cells, outline
from mmbench.sources.scenes.stream import Draws

ALL_SIZES = sorted({size for low, high in SIZES.values() for size in range(low, high + 1)})


@pytest.mark.parametrize(("shape", "size"), list(product(range(len(SHAPES)), ALL_SIZES)))
def test_an_outline_touches_all_sides_of_its_box_and_is_mirrored(shape: int, size: int) -> None:
    mask = outline(shape, size)
    assert mask.shape == (size, size)
    assert mask[0].any()
    assert mask[-1].any()
    assert mask[:, 0].any()
    assert mask[:, -1].any()
    assert np.array_equal(mask, mask[:, ::-1])
    assert area(shape, size) == np.count_nonzero(mask)


@pytest.mark.parametrize("size", ALL_SIZES)
def test_the_shapes_of_a_size_differ(size: int) -> None:
    assert len({outline(shape, size).tobytes() for shape in range(len(SHAPES))}) == len(SHAPES)


@given(key=st.integers(0, 10**9), count=st.integers(1, 16))
def test_cells_are_distinct(key: int, count: int) -> None:
    cells = distinct_cells(Draws(16, key), count)
    assert len(set(cells)) == count
    assert set(cells) <= set(range(GRID * GRID))


@given(
    key=st.integers(0, 10**9), cell=st.integers(0, 15), canvas=st.sampled_from(sorted(SIZES)), extra=st.integers(0, 6)
)
def test_a_box_stays_within_its_cell(key: int, cell: int, canvas: int, extra: int) -> None:
    side = canvas // GRID
    size = min(SIZES[canvas][0] + extra, SIZES[canvas][1])
    top, left = corner(Draws(2, key), canvas, cell, size)
    row, column = divmod(cell, GRID)
    assert row * side <= top <= (row + 1) * side - size
    assert column * side <= left <= (column + 1) * side - size
    assert abs(2 * (top - row * side) - (side - size)) <= 3
