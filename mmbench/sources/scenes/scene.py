"""The latents of one item: everything that its renderings and its label map are made from."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmbench.sources.scenes import geometry
from mmbench.sources.scenes.balance import OBJECTS, assigned
from mmbench.sources.scenes.regimes import Law
from mmbench.sources.scenes.stream import Draws

MODALITIES = ("rgb", "depth")
COLOURS = 8
LEVELS = 4
PHASES = 4
PRIMARY = 4  # values of a modality's first carrier (texture, ramp direction)

_SCENE_WORDS = OBJECTS + 2
_OBJECT_WORDS = 8


class Thing(NamedTuple):
    """One object: class ``label`` (1..k), pixel position of its box, what each modality shows, and its nuisances.

    ``shown[m]`` is a signature, BLANK or HIDDEN. ``colour`` and ``level`` are free unless a signature of 16 values
    uses them as its second carrier. ``phase`` shifts the texture (rows, columns).
    """

    label: int
    shown: tuple[int, ...]
    shape: int
    size: int
    top: int
    left: int
    colour: int
    level: int
    phase: tuple[int, int]


class Scene(NamedTuple):
    """One item. ``tone`` (-6..6, in 1/255) and ``offset`` (-15..15, in 1/1024 m) shift the two backgrounds."""

    law: Law
    canvas: int
    things: tuple[Thing, ...]
    tone: int
    offset: int


def scene_of(task: str, regime: str, split: str, index: int, canvas: int) -> Scene:
    """Item ``index`` of a split, in constant time; the canvas changes sizes and positions only."""
    law, rows = assigned(task, regime, split, index)
    draws = Draws(_SCENE_WORDS + OBJECTS * _OBJECT_WORDS, task, regime, split, "item", index)
    tone, offset = draws.between(-6, 6), draws.between(-15, 15)
    cells = geometry.distinct_cells(draws, OBJECTS)
    things = tuple(_thing(draws, canvas, cell, law, row) for cell, row in zip(cells, rows, strict=True))
    return Scene(law, canvas, things, tone, offset)


def _thing(draws: Draws, canvas: int, cell: int, law: Law, row: list[int]) -> Thing:
    y, *shown = row
    shape = draws.below(len(geometry.SHAPES))
    size = draws.between(*geometry.SIZES[canvas])
    top, left = geometry.corner(draws, canvas, cell, size)
    colour, level = draws.below(COLOURS), draws.below(LEVELS)
    phase = draws.below(PHASES), draws.below(PHASES)
    if law.signatures > PRIMARY:
        # An object that hides its signature keeps the free nuisance.
        colour = shown[0] // PRIMARY if shown[0] >= 0 else colour
        level = shown[1] // PRIMARY if shown[1] >= 0 else level
    return Thing(y + 1, tuple(shown), shape, size, top, left, colour, level, phase)


def paint(labels: NDArray[np.uint8], thing: Thing, value: int) -> None:
    """Sets the pixels of ``thing`` in the label map [H, W] to ``value``."""
    window = labels[thing.top : thing.top + thing.size, thing.left : thing.left + thing.size]
    window[geometry.outline(thing.shape, thing.size)] = value


def label_map(scene: Scene) -> NDArray[np.uint8]:
    """uint8 [H, W]: 0 is background, else the class of the object; hidden objects too."""
    labels = np.zeros((scene.canvas, scene.canvas), dtype=np.uint8)
    for thing in scene.things:
        paint(labels, thing, thing.label)
    return labels
