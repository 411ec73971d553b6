"""The RGB rendering: the signature is the texture of an object.

Each texture has as many light as dark pixels in every period, so the four have one histogram, not only one mean and
variance per channel: colour statistics say nothing of the signature. With 16 signatures the colour is a second carrier.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmbench.sources.scenes.geometry import outline
from mmbench.sources.scenes.regimes import BLANK, HIDDEN
from mmbench.sources.scenes.scene import PRIMARY, Scene, Thing

TEXTURES = ("horizontal stripes", "vertical stripes", "diagonal stripes", "checker")
CONTRAST = 48  # of a texture, in 1/255 about the object's colour

# red, green, blue, yellow, cyan, magenta, orange, brown; the first four are the second carrier of 16 signatures.
PALETTE = np.array(
    [
        [200, 60, 60],
        [60, 160, 60],
        [70, 80, 200],
        [200, 190, 50],
        [60, 180, 190],
        [190, 70, 180],
        [205, 130, 50],
        [140, 100, 60],
    ],
    dtype=np.int16,
)
# The background's tint tells the regime, by Law.cue. No object pixel has the colour of a background.
TINTS = np.array(
    [
        [16, 16, 20],
        [84, 84, 96],
        [156, 160, 156],
        [240, 240, 236],
        [48, 48, 56],
        [120, 120, 116],
        [196, 200, 204],
        [220, 216, 208],
        [40, 60, 90],
        [60, 90, 60],
        [96, 64, 84],
        [180, 160, 190],
        [170, 200, 170],
    ],
    dtype=np.int16,
)

_SIDE = 32  # the largest object and the largest phase fit
_FLAT = PRIMARY  # index of the texture of an object without a signature


def texture_signs() -> NDArray[np.int16]:
    """int16 [5, 32, 32]: +1 light, -1 dark, one slice a texture; the last is flat (0). The period is 4 pixels."""
    down, across = np.indices((_SIDE, _SIDE))
    light = np.stack([down % 4 < 2, across % 4 < 2, (down + across) % 4 < 2, (down // 2 + across // 2) % 2 == 0])
    signs = np.where(light, 1, -1).astype(np.int16)
    return np.concatenate([signs, np.zeros((1, _SIDE, _SIDE), dtype=np.int16)])


# uint8 [8 colours, 5 textures, 32, 32, 3]
_PAINTED = (PALETTE[:, None, None, None, :] + CONTRAST * texture_signs()[None, :, :, :, None]).astype(np.uint8)


def render(scene: Scene) -> NDArray[np.uint8]:
    """uint8 [H, W, 3]; reads of an object only what the first modality shows, its outline, colour and phase."""
    image = np.empty((scene.canvas, scene.canvas, 3), dtype=np.uint8)
    image[:] = TINTS[scene.law.cue] + scene.tone
    for thing in scene.things:
        if thing.shown[0] != HIDDEN:
            _draw(image, thing)
    return image


def _draw(image: NDArray[np.uint8], thing: Thing) -> None:
    texture = _FLAT if thing.shown[0] == BLANK else thing.shown[0] % PRIMARY
    down, across = thing.phase
    end = thing.size
    paint = _PAINTED[thing.colour, texture, down : down + end, across : across + end]
    window = image[thing.top : thing.top + end, thing.left : thing.left + end]
    np.copyto(window, paint, where=outline(thing.shape, end)[:, :, None])
