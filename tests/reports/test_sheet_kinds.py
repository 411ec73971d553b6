"""The contact sheet of the other tasks: texts, sounds, objects, classes, captions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from pycocotools import mask as coco_masks

from mmbench.core.errors import SampleError
from mmbench.core.sample import Sample
from mmbench.core.source import Modality
from mmbench.core.targets import Boxes, JointTarget, Objects
from mmbench.reports.sheet import contact_sheet
from mmbench.reports.sheet_cells import Shown, cells, lines
from mmbench.reports.sheet_objects import draw_objects, object_colours
from mmbench.reports.suite_sheet import suite_sheet
from mmbench.runner.suites import SuiteChoice, open_suite
from mmbench.selftest.scores import DATA

MODALITIES = {
    "image": Modality("image", "image", 3),
    "audio": Modality("audio", "audio", 1, rate=16_000),
    "text": Modality("text", "text", 1),
}
SHOWN = Shown(MODALITIES, ("yes", "no"), None)
GREY = np.full((40, 60, 3), 99, np.uint8)
INPUTS = {"image": GREY, "audio": np.zeros(1600, np.float32), "text": "is it there"}


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("red", ["text: is it there", "target: red"]),
        (1, ["text: is it there", "target: no"]),
        (7, ["text: is it there", "target: 7"]),
        (("one", "two"), ["text: is it there", "target: one | two"]),
        (np.zeros((40, 60), np.uint8), ["text: is it there"]),
    ],
)
def test_texts_and_targets_are_lines(target, expected) -> None:
    assert list(lines(Sample("a", INPUTS, target), SHOWN)) == expected


def test_each_task_has_a_line_and_its_own_classes() -> None:
    shown = Shown(MODALITIES, ("vqa/red", "classification/oak", "classification/elm"), None)
    target = JointTarget({"classification": 1, "vqa": "red"})
    assert list(lines(Sample("a", INPUTS, target), shown))[1:] == ["classification: elm", "vqa: red"]


def test_what_can_be_seen_is_a_cell() -> None:
    titles = [cell.title for cell in cells(Sample("a", INPUTS, "red"), SHOWN, None)]
    assert titles == ["image", "audio 0.1 s, to 8 kHz, loudest at 0 Hz"]
    absent = list(cells(Sample("a", {}, "red"), SHOWN, None))
    assert [(cell.title, cell.picture) for cell in absent] == [("image: absent", None), ("audio: absent", None)]
    assert list(lines(Sample("a", {}, "red"), SHOWN)) == ["text: absent", "target: red"]


def test_longer_texts_make_the_sheet_higher_not_wider() -> None:
    short, long = (contact_sheet([Sample("a", INPUTS, "word " * n)], MODALITIES, (), None) for n in (1, 200))
    assert short.width == long.width
    assert short.height < long.height <= short.height + 8 * 14


BOXES = Boxes(np.array([[10, 5, 30, 25]], np.float32), np.array([1]))


def coloured(picture, colour) -> np.ndarray:
    return (np.asarray(picture) == colour).all(axis=2)


def test_a_box_is_drawn_in_its_class_colour_at_its_place() -> None:
    """The picture is enlarged by 8: 60 pixels become 480."""
    picture = draw_objects(BOXES, GREY, 2)
    rows, columns = np.nonzero(coloured(picture, object_colours(2)[1]))
    assert picture.size == (480, 320)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (40, 199, 80, 239)
    assert coloured(picture, (99, 99, 99))[120, 160]


def test_boxes_by_corners_and_by_size_are_drawn_alike() -> None:
    yes, no = np.ones(1, np.bool_), np.zeros(1, np.bool_)
    objects = Objects(np.array([1]), np.array([400.0]), no, no, yes, np.array([[10.0, 5, 20, 20]]))
    assert draw_objects(objects, GREY, 2).tobytes() == draw_objects(BOXES, GREY, 2).tobytes()
    crowd = draw_objects(replace(objects, crowd=yes), GREY, 2)
    assert coloured(crowd, (150, 150, 150)).any()
    assert not coloured(crowd, object_colours(2)[1]).any()


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools with numpy 2
def test_masks_and_keypoints_are_drawn_and_a_picture_is_not_needed() -> None:
    inside = np.zeros((40, 60), np.uint8)
    inside[:20, :30] = 1
    mask = coco_masks.encode(np.asfortranarray(inside))
    yes, no = np.ones(1, np.bool_), np.zeros(1, np.bool_)
    points = np.array([[[50.0, 30, 2], [5, 35, 0]]])
    objects = Objects(np.array([0]), np.array([600.0]), no, no, yes, None, (mask,), points)
    colour = object_colours(2)[0]
    picture = np.asarray(draw_objects(objects, GREY, 2))
    assert picture[80, 120].tolist() == [(99 + part) // 2 for part in colour]
    assert picture[30 * 8, 50 * 8].tolist() == list(colour)
    assert picture[35 * 8, 5 * 8].tolist() == [99, 99, 99]
    assert draw_objects(objects, None, 2).size == (480, 320)
    assert draw_objects(BOXES, None, 2).width >= 64


def test_the_legend_has_the_colours_of_the_objects() -> None:
    with_boxes = contact_sheet([Sample("a", INPUTS, BOXES)], MODALITIES, ("cup", "ball"), None)
    with_text = contact_sheet([Sample("a", INPUTS, "red")], MODALITIES, ("cup", "ball"), None)
    cup = object_colours(2)[0]
    assert coloured(with_boxes, cup).any()
    assert not coloured(with_text, cup).any()


@pytest.mark.parametrize(
    "name", ["seg", "det", "refseg", "vqa", "vqa-av", "caption", "cls-it", "cls-av", "cls-iat[regime=T3]"]
)
def test_every_generated_suite_has_a_sheet(name: str) -> None:
    """Its pictures have colours, and a second sheet is the same."""
    suite = open_suite(name, SuiteChoice({"tier": "smoke"}))
    sheet = suite_sheet(suite, 4)
    assert len(np.unique(np.asarray(sheet).reshape(-1, 3), axis=0)) > 20
    assert suite_sheet(suite, 4).tobytes() == sheet.tobytes()


def test_samples_are_of_all_kinds() -> None:
    """Six questions a picture: a sheet of eight does not show one type only."""
    suite = open_suite("vqa", SuiteChoice({"tier": "smoke"}))
    loaded = []
    spied = SpiedSource(suite.source, loaded)
    suite_sheet(replace(suite, source=spied), 8)
    assert len({sample_id.rpartition("-")[2] for sample_id in loaded}) >= 4


class SpiedSource:
    """Notes what is loaded."""

    def __init__(self, source, loaded: list[str]) -> None:
        self._source, self._loaded = source, loaded

    def load(self, sample_id: str) -> Sample:
        self._loaded.append(sample_id)
        return self._source.load(sample_id)

    def __getattr__(self, name: str):
        return getattr(self._source, name)


class BrokenSource(SpiedSource):
    """Neither inputs nor targets can be read."""

    def load(self, sample_id: str) -> Sample:
        raise SampleError(f"{sample_id} is damaged")

    without_inputs = load


def test_a_suite_of_real_pictures_has_a_sheet(data_root) -> None:
    suite = open_suite("seg-camvid", SuiteChoice(roots={"": data_root("camvid")}))
    sheet = suite_sheet(suite, 2)
    assert sheet.width < sheet.height * 4
    assert len(np.unique(np.asarray(sheet).reshape(-1, 3), axis=0)) > 1000


@pytest.mark.parametrize(("name", "file"), [("det-coco", "instances"), ("caption-coco", "captions"), ("vqa-v2", "vqa")])
def test_where_only_annotations_are_there_the_targets_are_shown(name: str, file: str) -> None:
    """The pictures are missing: absent, with the reason; any other broken sample is an error."""
    suite = open_suite(name, SuiteChoice(annotations=DATA / f"{file}.json"))
    assert suite_sheet(suite, 2).height > 2 * 192
    broken = BrokenSource(suite.source, [])
    with pytest.raises(SampleError, match="damaged"):
        suite_sheet(replace(suite, source=broken), 2)
