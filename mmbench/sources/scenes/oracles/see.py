"""Reads a picture: the regime's cue from the background, of each object its cell, outline, colour and texture."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmbench.sources.scenes.oracles.pixels import Mask, Window, cells_of, shape_of, steady
from mmbench.sources.scenes.regimes import BLANK
from mmbench.sources.scenes.rgb import PALETTE, TINTS
from mmbench.sources.scenes.scene import PRIMARY


class Seen(NamedTuple):
    """An object: cell 0..15, bounding box, mask in it, indices of shape, colour and texture (BLANK when flat)."""

    cell: int
    window: Window
    mask: Mask
    shape: int
    colour: int
    texture: int


class Picture(NamedTuple):
    """What is seen of a picture; objects by cell."""

    cue: int
    canvas: int
    objects: tuple[Seen, ...]


def look(image: NDArray[np.uint8]) -> Picture:
    """Reads uint8 [H, W, 3]."""
    packed = image.astype(np.int32) @ np.array([1 << 16, 1 << 8, 1], dtype=np.int32)
    values, counts = np.unique(packed, return_counts=True)
    behind = int(values[counts.argmax()])
    tint = np.array([behind >> 16, behind >> 8 & 255, behind & 255])
    objects = tuple(_object(image, cell, window, packed != behind) for cell, window in cells_of(packed != behind))
    return Picture(int(np.abs(TINTS - tint).max(axis=1).argmin()), len(image), objects)


def signature(picture: Picture, signatures: int) -> int:
    """What a picture shows whose objects all have one texture and, for more than four signatures, one colour."""
    first = picture.objects[0]
    return first.texture if signatures <= PRIMARY or first.texture == BLANK else first.texture + PRIMARY * first.colour


def _object(image: NDArray[np.uint8], cell: int, window: Window, mask: Mask) -> Seen:
    inside, patch = mask[window], image[window].astype(np.int32)
    pixels = patch[inside]
    middle = (pixels.min(axis=0) + pixels.max(axis=0)) / 2
    colour = int(np.abs(PALETTE - middle).sum(axis=1).argmin())
    return Seen(cell, window, inside, shape_of(inside), colour, _texture(patch.sum(axis=2), inside))


def _texture(grey: NDArray[np.int32], mask: Mask) -> int:
    if steady(grey, mask, 1, 0) and steady(grey, mask, 0, 1):
        return BLANK
    stripes = [steady(grey, mask, *step) for step in ((0, 1), (1, 0), (1, 1))]
    return stripes.index(True) if any(stripes) else 3
