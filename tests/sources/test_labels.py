"""From stored labels to class indices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mmbench.core.errors import SampleError
from mmbench.sources.labels import LabelDecoder, LabelParams

RED, GREEN, BLACK = [255, 0, 0], [0, 255, 0], [0, 0, 0]


def decoder(classes=3, **values):
    return LabelDecoder.of(LabelParams.model_validate(values), [f"c{i}" for i in range(classes)])


@given(count=st.integers(2, 255), data=st.data())
def test_reduce_zero_label(count, data):
    """Law: stored 0 -> ignored, k -> k - 1, 255 -> ignored, for every number of classes; nothing wraps around."""
    if count == 255:
        count = 254  # the stored label 255 would be a class and ignored
    stored = data.draw(st.lists(st.integers(0, count), min_size=1, max_size=30))
    labels = decoder(count, reduce_zero_label=True, ignore=255).decode(np.array([[*stored, 255]], np.uint8), "x")
    expected = [255 if value == 0 else value - 1 for value in stored]
    assert labels.dtype == np.uint8
    assert labels[0].tolist() == [*expected, 255]


@given(st.dictionaries(st.integers(0, 65_535), st.integers(0, 2), min_size=1, max_size=20))
def test_a_map_is_applied_value_by_value(mapping):
    """Law: label == map[stored], for 8 and 16 bits."""
    stored = np.array([list(mapping)])
    labels = decoder(map={str(k): v for k, v in mapping.items()}).decode(stored.astype(np.uint16), "x")
    assert labels[0].tolist() == list(mapping.values())
    np.testing.assert_array_equal(decoder(map=mapping).decode(stored.astype(np.int64), "x"), labels)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=50))
def test_colours_are_the_inverse_of_painting(labels):
    """Law: decode(paint(labels)) == labels."""
    table = np.array([BLACK, GREEN, RED, [1, 2, 3], [3, 2, 1]], np.uint8)
    colours = {f"c{i}": table[i].tolist() for i in range(5)}
    painted = table[np.array([labels])]
    assert decoder(5, colours=colours).decode(painted, "x")[0].tolist() == labels


@pytest.mark.parametrize(
    ("how", "stored", "says"),
    [
        ({}, np.array([[0, 3]], np.uint8), "holds the label 3, expected 0..2"),
        ({"ignore": 255}, np.array([[0, 254]], np.uint8), r"label 254, expected 0\.\.2, 255 \(255 is ignored\)"),
        ({}, np.array([[0, -1]], np.int32), "holds the label -1"),
        ({}, np.array([[0, 70_000]], np.int32), "holds the label 70000"),
        ({"reduce_zero_label": True, "ignore": 255}, np.array([[4]], np.uint8), r"label 4, expected 0\.\.3, 255"),
        ({"map": {"7": 0}}, np.array([[8]], np.uint8), "holds the label 8, expected 7"),
        ({}, np.zeros((2, 2, 3), np.uint8), "3 channels, expected 1; declare channel or colours"),
        ({"channel": 3}, np.zeros((2, 2, 3), np.uint8), "channel 3"),
        ({}, np.zeros((2, 2), np.float32), "float32"),
        ({"colours": {"c0": BLACK, "c1": GREEN, "c2": RED}}, np.full((1, 1, 3), 9, np.uint8), r"colour \(9, 9, 9\)"),
        ({"colours": {"c0": BLACK, "c1": GREEN, "c2": RED}}, np.zeros((1, 1), np.uint8), "RGB"),
    ],
)
def test_a_label_out_of_range_is_said_with_the_file(how, stored, says):
    with pytest.raises(SampleError, match=says) as caught:
        decoder(**how).decode(stored, "labels/x.png")
    assert "'labels/x.png'" in str(caught.value)


def test_channel_takes_one_of_several():
    """DELIVER keeps its labels in the red channel."""
    stored = np.zeros((1, 3, 4), np.uint8)
    stored[..., 0], stored[..., 3] = [[1, 2, 255]], 255
    assert decoder(2, channel=0, reduce_zero_label=True, ignore=255).decode(stored, "x").tolist() == [[0, 1, 255]]


def test_unmapped_labels_can_be_ignored():
    stored = np.array([[7, 8, 0, 255, 33]], np.uint8)
    how = {"map": {7: 0, 8: 1, 33: 2}, "unmapped": "ignore", "ignore": 255}
    assert decoder(**how).decode(stored, "x").tolist() == [[0, 1, 255, 255, 2]]


def test_many_classes_or_a_large_ignored_label_need_16_bits():
    assert decoder(256).decode(np.array([[255]], np.uint8), "x").dtype == np.uint8
    assert decoder(257, ignore=300).decode(np.array([[300, 256]], np.uint16), "x").tolist() == [[300, 256]]
    assert decoder(3, ignore=300).decode(np.array([[300]], np.uint16), "x").dtype == np.int16


def test_void_beside_the_classes_is_ignored():
    """CamVid: 11 classes, 11 is void."""
    labels = decoder(11, ignore=11).decode(np.array([[0, 10, 11]], np.uint8), "x")
    assert labels.tolist() == [[0, 10, 11]]


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"ignore": 2}, "label.ignore: 2 is also the class 'c2'"),
        ({"map": {0: 5}}, "label.map: 5"),
        ({"reduce_zero_label": True, "ignore": 3}, "label.ignore: with reduce_zero_label"),
        ({"colours": {"c0": BLACK, "c1": GREEN}}, "label.colours: must name each class once, 'c2'"),
        ({"colours": {"c0": BLACK, "c1": GREEN, "c2": GREEN}}, "same colour"),
        ({"colours": {"c0": BLACK, "c1": GREEN, "c2": RED}, "ignore_colours": [RED], "ignore": 255}, "same colour"),
    ],
)
def test_parameters_that_do_not_fit_the_classes_are_refused(how, says):
    with pytest.raises(ValueError, match=says):
        decoder(**how)


@pytest.mark.parametrize(
    "how",
    [
        {"map": {0: 0}, "reduce_zero_label": True, "ignore": 255},
        {"reduce_zero_label": True},
        {"map": {0: 0}, "unmapped": "ignore"},
        {"ignore_colours": [RED], "ignore": 255},
        {"map": {-1: 0}},
        {"colours": {"c0": [0, 0, 256]}},
        {"ignore": -1},
        {"palette": True},
    ],
)
def test_parameters_that_contradict_each_other_are_refused(how):
    with pytest.raises(ValidationError):
        LabelParams.model_validate(how)


def test_ignored_colours():
    how = {"colours": {"c0": BLACK, "c1": GREEN, "c2": RED}, "ignore_colours": [[1, 1, 1]], "ignore": 255}
    stored = np.array([[[1, 1, 1], RED]], np.uint8)
    assert decoder(**how).decode(stored, "x").tolist() == [[255, 2]]
