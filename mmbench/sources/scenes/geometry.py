"""Where objects stand and what outline they have: a 4 x 4 grid of cells, integer rasterisation, no overlap."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mmbench.sources.scenes.stream import Draws

GRID = 4
JITTER = 1
SHAPES = ("square", "disc", "diamond", "triangle", "cross", "hexagon")
# Canvas side in pixels: the least and largest bounding size of an object. Largest + 2 * jitter fits into a cell.
SIZES = {64: (10, 14), 96: (15, 21)}

Mask = NDArray[np.bool_]


@lru_cache(maxsize=256)
def outline(shape: int, size: int) -> Mask:
    """bool [size, size]: the pixels of a shape that touches all four sides of its bounding box; read-only.

    Distances to the centre are doubled, so that they are integers for even sizes too.
    """
    doubled = np.abs(2 * np.arange(size) - (size - 1))
    down, across = doubled[:, None], doubled[None, :]
    arm = size // 2
    inside = (
        np.maximum(down, across) < size,
        down * down + across * across <= size * size,
        down + across <= size,
        across + 0 * down <= np.arange(1, size + 1)[:, None],
        np.minimum(down, across) < arm,
        across + down // 2 <= size,
    )[shape]
    inside.setflags(write=False)
    return inside


@lru_cache(maxsize=256)
def area(shape: int, size: int) -> int:
    """Number of pixels of a shape."""
    return int(outline(shape, size).sum())


def distinct_cells(draws: Draws, count: int) -> list[int]:
    """``count`` different cells of the grid in random order (Fisher-Yates, stopped early)."""
    cells = list(range(GRID * GRID))
    for position in range(count):
        other = draws.between(position, len(cells) - 1)
        cells[position], cells[other] = cells[other], cells[position]
    return cells[:count]


def corner(draws: Draws, canvas: int, cell: int, size: int) -> tuple[int, int]:
    """Top and left pixel of an object of ``size``: centred in its cell, moved by at most one pixel each way."""
    side = canvas // GRID
    row, column = divmod(cell, GRID)
    centred = (side - size) // 2
    down, across = draws.between(-JITTER, JITTER), draws.between(-JITTER, JITTER)
    return row * side + centred + down, column * side + centred + across
