"""Which look each pixel's object has, as labels: on these an encoder of pictures can be trained before any fusion."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmbench.sources.scenes.geometry import SHAPES
from mmbench.sources.scenes.regimes import BLANK
from mmbench.sources.scenes.rgb import TEXTURES
from mmbench.sources.scenes.scene import COLOURS, Scene, Thing, paint

_TEXTURES = len(TEXTURES) + 1  # the last is flat


def look_labels() -> int:
    """Number of labels that ``look_map`` may hold: background, then colour x shape x texture (241)."""
    return 1 + COLOURS * len(SHAPES) * _TEXTURES


def look_of(thing: Thing) -> int:
    """The label of an object: 1 + (colour * 6 + shape) * 5 + texture, 4 being flat."""
    texture = len(TEXTURES) if thing.shown[0] == BLANK else thing.shown[0]
    return 1 + (thing.colour * len(SHAPES) + thing.shape) * _TEXTURES + texture


def look_map(scene: Scene) -> NDArray[np.uint8]:
    """uint8 [H, W]: the look of the object at each pixel, 0 is background."""
    labels = np.zeros((scene.canvas, scene.canvas), dtype=np.uint8)
    for thing in scene.things:
        paint(labels, thing, look_of(thing))
    return labels
