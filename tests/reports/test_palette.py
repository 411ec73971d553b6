"""Colours of classes."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mmbench.reports.palette import IGNORED, class_colours, colour_labels, error_map


def test_the_colour_map_of_pascal_voc():
    """The published values of the first and the last classes."""
    colours = class_colours(21).tolist()
    assert colours[:4] == [[0, 0, 0], [128, 0, 0], [0, 128, 0], [128, 128, 0]]
    assert colours[15] == [192, 128, 128]
    assert colours[20] == [0, 64, 128]


def test_colours_are_distinct():
    assert len({tuple(colour) for colour in class_colours(255).tolist()}) == 255


@given(st.lists(st.integers(0, 255), min_size=1, max_size=20))
def test_each_pixel_has_the_colour_of_its_class(labels):
    """Law: ignored and unknown labels are white, all others have the colour of their class."""
    painted = colour_labels(np.array([labels], np.uint8), 20, 11)[0]
    colours = class_colours(20)
    for label, colour in zip(labels, painted, strict=True):
        expected = IGNORED if label >= 20 or label == 11 else tuple(colours[label])
        assert tuple(colour) == expected


def test_errors_are_orange_and_what_is_ignored_is_white():
    errors = error_map(np.array([[0, 1, 255]], np.uint8), np.array([[0, 0, 0]], np.uint8), 255)
    assert errors[0].tolist() == [[60, 60, 60], [230, 120, 0], [255, 255, 255]]
