"""Maps of looks: one label for each colour, shape and texture, read back from the pixels."""

from __future__ import annotations

import numpy as np

from mmbench.sources.scenes import rgb
from mmbench.sources.scenes.layout import Look, arranged, cell_of, natural, words_for
from mmbench.sources.scenes.looks import look_labels, look_map, look_of
from mmbench.sources.scenes.oracles import see
from mmbench.sources.scenes.regimes import BLANK
from mmbench.sources.scenes.stream import Draws

LOOKS = [Look(shape, colour, texture) for shape in range(6) for colour in range(8) for texture in (0, 1, 2, 3, BLANK)]


def scene(looks: list[Look], key: int, cells: tuple[int, ...] | None = None):
    return arranged(Draws(words_for(16), key), natural("S"), 64, looks, cells)


def test_every_look_is_read_from_its_pixels() -> None:
    """All 240 looks, fifteen to a picture: shape, colour, texture and cell are seen as they were drawn."""
    for start in range(0, len(LOOKS), 15):
        drawn = scene(LOOKS[start : start + 15], start)
        seen = {one.cell: (one.shape, one.colour, one.texture) for one in see.look(rgb.render(drawn)).objects}
        assert seen == {cell_of(thing, 64): (thing.shape, thing.colour, thing.shown[0]) for thing in drawn.things}


def test_labels_are_unique_and_fit_a_byte() -> None:
    labels = {look_of(thing) for start in range(0, 240, 15) for thing in scene(LOOKS[start : start + 15], 1).things}
    assert labels == set(range(1, 241))
    assert look_labels() == 241 <= 256


def test_the_map_labels_the_pixels_that_differ_from_the_background() -> None:
    drawn = scene(LOOKS[:5], 3, (0, 3, 5, 9, 10))
    image = rgb.render(drawn)
    assert np.array_equal(look_map(drawn) > 0, (image != image[-1, -1]).any(axis=2))


def test_objects_stand_in_the_cells_asked_for() -> None:
    assert [cell_of(thing, 64) for thing in scene(LOOKS[:3], 4, (15, 0, 6)).things] == [15, 0, 6]
