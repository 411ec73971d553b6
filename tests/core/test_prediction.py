"""Predictions survive the journal byte for byte, and are checked before they are scored."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mmbench.core.errors import SampleError
from mmbench.core.prediction import KINDS, ClassScores, Detections, Joint, LabelMap, Text, check_labels

MAPS = hnp.arrays(
    st.sampled_from([np.dtype(np.uint8), np.dtype(np.int16)]), hnp.array_shapes(min_dims=2, max_dims=2, min_side=0)
)


@given(MAPS, st.booleans())
def test_decode_is_the_inverse_of_encode(labels, transposed):
    labels = labels.T if transposed else labels
    back = LabelMap.decode("a", LabelMap("a", labels).encode())
    assert back.sample_id == "a"
    assert (back.labels.dtype, back.labels.shape) == (labels.dtype, labels.shape)
    np.testing.assert_array_equal(back.labels, labels)


def test_equal_maps_have_equal_bytes():
    labels = np.arange(12, dtype=np.uint8).reshape(3, 4)
    assert LabelMap("a", labels).encode() == LabelMap("a", np.asfortranarray(labels)).encode()


def test_labels_in_range_pass():
    check_labels(LabelMap("a", np.array([[0, 2]], np.uint8)), (1, 2), 3)
    check_labels(LabelMap("a", np.zeros((0, 2), np.uint8)), (0, 2), 3)


@pytest.mark.parametrize(
    ("labels", "sentence"),
    [
        (np.zeros((2, 2), np.uint8), "The prediction of 'a' has size (2, 2), expected (1, 2)"),
        (np.array([[0, 3]], np.uint8), "The prediction of 'a' holds labels 0..3, expected 0..2."),
        (np.array([[-1, 2]], np.int16), "The prediction of 'a' holds labels -1..2, expected 0..2."),
    ],
)
def test_what_cannot_be_scored_is_a_sample_error(labels, sentence):
    with pytest.raises(SampleError) as caught:
        check_labels(LabelMap("a", labels), (1, 2), 3)
    assert str(caught.value).startswith(sentence)


@given(st.text(), st.none() | st.floats(0, 1))
def test_texts_survive(text, confidence):
    """Any text, lone surrogates and control characters included."""
    assert Text.decode("a", Text("a", text, confidence).encode()) == Text("a", text, confidence)


def test_scores_survive():
    scores = np.array([0.25, -np.inf, 3e38], np.float32)
    np.testing.assert_array_equal(ClassScores.decode("a", ClassScores("a", scores).encode()).scores, scores)


@pytest.mark.parametrize("count", [0, 2])
@pytest.mark.parametrize("more", [False, True])
def test_detections_survive(count, more):
    masks = tuple({"size": [2, 2], "counts": "04"} for _ in range(count)) if more else None
    points = np.arange(count * 6.0).reshape(count, 2, 3) if more else None
    numbers = np.linspace(0, 1, count), np.arange(count), np.ones(count), np.arange(count * 4.0).reshape(count, 4)
    back = Detections.decode("a", Detections("a", *numbers, masks, points).encode())
    for found, given_ in zip((back.scores, back.labels, back.areas, back.boxes), numbers, strict=True):
        np.testing.assert_array_equal(found, given_)
    assert back.masks == masks
    assert (back.keypoints is None) == (points is None)
    assert points is None or np.array_equal(back.keypoints, points)


@given(st.text(), st.lists(st.integers(0, 255), min_size=1))
def test_joint_predictions_survive(text, bytes_):
    """Each part as it would alone, whatever bytes the others have (line ends too)."""
    labels = np.array([bytes_], dtype=np.uint8)
    parts = {"segmentation": LabelMap("a", labels), "vqa": Text("a", text, 0.5)}
    back = Joint.decode("a", Joint("a", parts).encode())
    assert (back.sample_id, list(back.parts), back.parts["vqa"]) == ("a", list(parts), parts["vqa"])
    np.testing.assert_array_equal(back.parts["segmentation"].labels, labels)
    assert Joint.decode("a", Joint("a", {}).encode()).parts == {}


def test_every_kind_is_known_by_its_name():
    assert all(name == kind.kind for name, kind in KINDS.items())
