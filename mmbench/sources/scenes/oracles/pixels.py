"""What both kinds of picture have in common: cells that hold an object, neighbours that are equal."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mmbench.sources.scenes.geometry import GRID, SHAPES, outline

Mask = NDArray[np.bool_]
Window = tuple[slice, slice]


def cells_of(mask: Mask) -> Iterator[tuple[int, Window]]:
    """Number and window of the cells that hold an object; the window is its bounding box."""
    side = len(mask) // GRID
    for cell in range(GRID * GRID):
        top, left = cell // GRID * side, cell % GRID * side
        inside = mask[top : top + side, left : left + side]
        rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
        if len(rows):
            yield (
                cell,
                (
                    slice(top + int(rows[0]), top + int(rows[-1]) + 1),
                    slice(left + int(columns[0]), left + int(columns[-1]) + 1),
                ),
            )


def steady(values: NDArray[np.generic], mask: Mask, down: int, across: int) -> bool:
    """Whether each object pixel equals its neighbour ``down`` rows below and ``across`` columns to the left."""
    rows, columns = values.shape
    here, there = np.s_[: rows - down, across:], np.s_[down:, : columns - across]
    both = mask[here] & mask[there]
    return bool((values[here] == values[there])[both].all())


def shape_of(mask: Mask) -> int:
    """The shape whose outline is the mask of an object in its bounding box; raises ValueError when there is none."""
    found = [shape for shape in range(len(SHAPES)) if np.array_equal(outline(shape, len(mask)), mask)]
    if not found:
        raise ValueError(f"no shape of {len(mask)} pixels has this outline")
    return found[0]
