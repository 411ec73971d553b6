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
LEVELS = (819, 1229, 1638, 2048)  # .8, 1.2, 1.6, 2.0 m: the middle of an object
# The background plane tells the regime, by Law.cue: the mixed ones .4 m apart from 2.6 m on, the others between them.
PLANES = (2662, 3072, 3482, 3891, 2867, 3277, 3686, 4096)

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


def render(scene: Scene) -> NDArray[np.float32]:
    """float32 [H, W], metres; reads of an object only what the second modality shows, its outline and its level."""
    steps = np.full((scene.canvas, scene.canvas), PLANES[scene.law.cue] + scene.offset, dtype=np.int32)
    for thing in scene.things:
        if thing.shown[1] != HIDDEN:
            _draw(steps, thing)
    return steps.astype(np.float32) * np.float32(1 / UNIT)


def _draw(steps: NDArray[np.int32], thing: Thing) -> None:
    ramp = _FLAT if thing.shown[1] == BLANK else thing.shown[1] % PRIMARY
    window = steps[thing.top : thing.top + thing.size, thing.left : thing.left + thing.size]
    surface = surfaces(thing.size)[ramp] + LEVELS[thing.level]
    np.copyto(window, surface, where=outline(thing.shape, thing.size))
