"""The contact sheet."""

import numpy as np
import pytest

from mmbench.core.prediction import LabelMap
from mmbench.core.sample import Sample
from mmbench.core.source import Modality
from mmbench.reports.palette import class_colours
from mmbench.reports.sheet import contact_sheet

MODALITIES = {"rgb": Modality("rgb", "image", 3), "depth": Modality("depth", "plane", 1, unit="m")}
CLASSES = ("road", "car")


def sample(sample_id="a", **inputs):
    values = {"rgb": np.full((30, 40, 3), (10, 200, 30), np.uint8), "depth": np.linspace(0, 4, 1200).reshape(30, 40)}
    target = np.ones((30, 40), np.uint8)
    return Sample(sample_id, {**values, **inputs}, target)


def colours_in(picture):
    return {tuple(colour) for colour in np.asarray(picture).reshape(-1, 3).tolist()}


def test_every_modality_the_labels_and_the_prediction_are_shown():
    """Each column's colours are in the picture: the image's, the classes', wrong orange, right grey."""
    plain = contact_sheet([sample()], MODALITIES, CLASSES, 255)
    labels = np.ones((30, 40), np.uint8)
    labels[:15] = 0
    full = contact_sheet([sample()], MODALITIES, CLASSES, 255, {"a": LabelMap("a", labels)}, {"a": "IoU 0.31"})
    car = tuple(class_colours(2)[1].tolist())
    assert {(10, 200, 30), car} <= colours_in(plain)
    assert (230, 120, 0) in colours_in(full) - colours_in(plain)
    wrong = (np.asarray(full) == (230, 120, 0)).all(axis=2).sum()
    assert wrong == pytest.approx((np.asarray(full) == (60, 60, 60)).all(axis=2).sum(), rel=0.01)
    assert full.width > plain.width


def test_it_is_deterministic():
    pictures = [contact_sheet([sample(), sample("b")], MODALITIES, CLASSES, 255) for _ in range(2)]
    assert pictures[0].tobytes() == pictures[1].tobytes()


def test_a_plane_goes_from_black_to_white():
    picture = contact_sheet([sample()], {"depth": MODALITIES["depth"]}, CLASSES, None, cell=(40, 30))
    cell = np.asarray(picture)[6 + 28 : 6 + 28 + 30, 6 : 6 + 40]
    assert cell[0, 0].tolist() == [0, 0, 0]
    assert cell[-1, -1].tolist() == [255, 255, 255]


@pytest.mark.parametrize(
    "inputs",
    [
        {"depth": None},
        {"depth": np.full((30, 40), 2.0, np.float32)},
        {"depth": np.full((30, 40), np.nan, np.float32)},
        {"rgb": np.zeros((30, 40, 4), np.uint8)},
        {"rgb": np.zeros((30, 40, 2), np.uint8)},
    ],
)
@pytest.mark.filterwarnings("ignore:All-NaN slice")
def test_odd_inputs_are_shown_too(inputs):
    """A missing modality, a constant plane, pictures of two and four channels."""
    assert contact_sheet([sample(**inputs)], MODALITIES, CLASSES, 255).width > 0


def test_odd_names_are_escaped_and_long_ones_cut():
    """Ids come from file names: they may hold any character and be of any length."""
    wild = "ü\n\x1b[31m" + "x" * 500
    names = tuple(f"class {i} 图" for i in range(200))
    picture = contact_sheet([sample(wild)], MODALITIES, names, None)
    assert picture.width == contact_sheet([sample()], MODALITIES, names, None).width


def test_pictures_of_unequal_sizes_stand_in_one_sheet():
    big = Sample("big", {"rgb": np.zeros((600, 300, 3), np.uint8)}, np.zeros((600, 300), np.uint8))
    tiny = Sample("tiny", {"rgb": np.zeros((1, 1, 3), np.uint8)}, np.zeros((1, 1), np.uint8))
    assert contact_sheet([big, tiny], MODALITIES, CLASSES, 255).height > 360


def test_nothing_to_show_is_an_error():
    with pytest.raises(ValueError, match="at least one"):
        contact_sheet([], MODALITIES, CLASSES, 255)
