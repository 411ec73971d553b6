"""Reads a depth map: the regime's cue from the relief behind, of each object its cell, outline, slope and level."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmbench.sources.scenes.depth import LEVELS, PLANES, RELIEF, UNIT
from mmbench.sources.scenes.oracles.pixels import Mask, Window, cells_of, steady
from mmbench.sources.scenes.regimes import BLANK

_NEAREST_BEHIND = (min(PLANES) - RELIEF - 15) / UNIT  # metres; all objects are nearer
_RAMPS = {(0, 0): BLANK, (1, 0): 0, (0, 1): 1, (-1, 0): 2, (0, -1): 3}


class Felt(NamedTuple):
    """An object: cell 0..15, bounding box, mask in it, index of its ramp (BLANK when flat) and of its level."""

    cell: int
    window: Window
    mask: Mask
    ramp: int
    level: int


class Surface(NamedTuple):
    """What is felt of a depth map; objects by cell."""

    cue: int
    objects: tuple[Felt, ...]


def feel(depth: NDArray[np.float32]) -> Surface:
    """Reads float32 [H, W] in metres."""
    mask = depth < _NEAREST_BEHIND
    relief = [not steady(depth, ~mask, *step) for step in ((1, 0), (0, 1))]
    behind = depth[~mask]
    plane = int(np.abs(np.array(PLANES) / UNIT - (behind.min() + behind.max()) / 2).argmin())
    return Surface(
        relief[0] + 2 * relief[1] + 4 * plane, tuple(_object(depth, *found, mask) for found in cells_of(mask))
    )


def _object(depth: NDArray[np.float32], cell: int, window: Window, mask: Mask) -> Felt:
    inside, patch = mask[window], depth[window]
    down = np.sign((patch[1:] - patch[:-1])[inside[1:] & inside[:-1]].sum())
    across = np.sign((patch[:, 1:] - patch[:, :-1])[inside[:, 1:] & inside[:, :-1]].sum())
    middle = float(patch[inside].min() + patch[inside].max()) / 2
    level = int(np.abs(np.array(LEVELS) / UNIT - middle).argmin())
    return Felt(cell, window, inside, _RAMPS[int(down), int(across)], level)
