"""The depth rendering: the signature is the direction in which an object's surface recedes.

All depths are multiples of 1/1024 m, computed as integers: float32 holds them exactly on every platform. With 16
signatures the level of the object is a second carrier.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mmbench.sources.scenes.geometry import outline
from mmbench.sources.scenes.regimes import BLANK, HIDDEN
from mmbench.sources.scenes.scene import PRIMARY, Scene, Thing

RAMPS = ("recedes downwards", "recedes to the right", "recedes upwards", "recedes to the left")
UNIT = 1024  # steps per metre
RAMP = 154  # .15 m: half the range of a ramp
LEVELS = (512, 666, 819, 973)  # .5, .65, .8, .95 m: the middle of an object
# The background tells the regime, by Law.cue: its relief (none, grooves across, grooves down, waffle) by the remainder
# of 4, its plane (1.2 m, 1.35 m, ...) by the quotient. Relief, not distance alone: ramps stay large beside it.
RELIEF = 31  # .03 m: height of the relief about the plane
PLANES = (1229, 1382)

_FLAT = PRIMARY


@lru_cache(maxsize=64)
def surfaces(size: int) -> NDArray[np.int32]:
    """int32 [5, size, size] about 0: the four ramps, turns of one another, then the flat one; read-only."""
    line = 2 * np.arange(size, dtype=np.int32) - (size - 1)
    # Rounded towards 0, so that a turned ramp holds the same values.
    steps = np.sign(line) * (np.abs(line) * RAMP // (size - 1))
    right = np.broadcast_to(steps, (size, size))
    turned = np.stack([right.T, right, right.T[::-1], right[:, ::-1], np.zeros_like(right)])
    turned.setflags(write=False)
    return turned


@lru_cache(maxsize=64)
def background(cue: int, canvas: int) -> NDArray[np.int32]:
    """int32 [canvas, canvas]: the plane with the relief of a cue, in steps; read-only."""
    kind, plane = cue % 4, PLANES[cue // 4]
    down, across = np.indices((canvas, canvas)) % 4 < 2
    raised = (np.zeros_like(down), down, across, down ^ across)[kind]
    height = np.where(raised, -RELIEF, RELIEF) if kind else np.zeros_like(down, dtype=np.int64)
    steps = (plane + height).astype(np.int32)
    steps.setflags(write=False)
    return steps


def render(scene: Scene) -> NDArray[np.float32]:
    """float32 [H, W], metres; reads of an object only what the second modality shows, its outline and its level."""
    steps = background(scene.law.cue, scene.canvas) + scene.offset
    for thing in scene.things:
        if thing.shown[1] != HIDDEN:
            _draw(steps, thing)
    return steps.astype(np.float32) * np.float32(1 / UNIT)


def _draw(steps: NDArray[np.int32], thing: Thing) -> None:
    ramp = _FLAT if thing.shown[1] == BLANK else thing.shown[1] % PRIMARY
    window = steps[thing.top : thing.top + thing.size, thing.left : thing.left + thing.size]
    surface = surfaces(thing.size)[ramp] + LEVELS[thing.level]
    np.copyto(window, surface, where=outline(thing.shape, thing.size))
