"""Pictures made to order: objects of given looks at random places, for the tasks that are not about label maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mmbench.sources.scenes import geometry
from mmbench.sources.scenes.regimes import Law
from mmbench.sources.scenes.scene import PHASES, Scene, Thing
from mmbench.sources.scenes.stream import Draws

PICTURE_WORDS = 1 + geometry.GRID**2  # of a picture, besides those of its objects
OBJECT_WORDS = 5


class Look(NamedTuple):
    """What an object looks like: indices of shape and colour, and a texture's or BLANK."""

    shape: int
    colour: int
    texture: int


def natural(name: str) -> Law:
    """The law of a task whose answer follows from what a picture shows, not from a table of signatures."""
    return Law(name, 1, 4, 3, np.zeros((0, 2), dtype=np.int8), additive=False)


def words_for(objects: int) -> int:
    """How many words of a stream a picture of so many objects takes at most."""
    return PICTURE_WORDS + objects * OBJECT_WORDS


def arranged(draws: Draws, law: Law, canvas: int, looks: Sequence[Look], cells: Sequence[int] | None = None) -> Scene:
    """A scene of objects that look so, in ``cells`` or in random ones; sizes, jitter and phases are random.

    Object i has the label i + 1 in the scene's label map.
    """
    tone = draws.between(-6, 6)
    places = geometry.distinct_cells(draws, len(looks)) if cells is None else cells
    things = tuple(
        _thing(draws, canvas, cell, label, look)
        for label, (cell, look) in enumerate(zip(places, looks, strict=True), start=1)
    )
    return Scene(law, canvas, things, tone, 0)


def _thing(draws: Draws, canvas: int, cell: int, label: int, look: Look) -> Thing:
    size = draws.between(*geometry.SIZES[canvas])
    top, left = geometry.corner(draws, canvas, cell, size)
    phase = draws.below(PHASES), draws.below(PHASES)
    return Thing(label, (look.texture,), look.shape, size, top, left, look.colour, 0, phase)


def cell_of(thing: Thing, canvas: int) -> int:
    """The cell 0..15 of the grid in which an object stands, row by row."""
    side = canvas // geometry.GRID
    return thing.top // side * geometry.GRID + thing.left // side
