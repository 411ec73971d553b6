"""Objects by image: the columns of COCO files, taken apart and put together again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbench.core.errors import LoadError, UsageError
from mmbench.core.prediction import Detections
from mmbench.sources.coco.results import read_results
from mmbench.sources.coco_objects import KINDS, CocoSource, detections_of, objects_of

Open = Callable[..., CocoSource]
POLYGON = [[1.0, 1.0, 6.0, 1.0, 6.0, 4.0]]
POINTS = [float(x) for x in range(51)]


def annotation(number: int, image: int, category: int, **fields: Any) -> dict[str, Any]:
    plain = {"id": number, "image_id": image, "category_id": category, "bbox": [number, 2, 3.5, 4], "area": 9 + number}
    return plain | {"segmentation": POLYGON, "keypoints": POINTS, "num_keypoints": 17} | fields


# Image 5 has no object and no detection, image 4 no detection; objects and detections of the images are mixed.
CONTENT = {
    "images": [{"id": i, "height": 10, "width": 20} for i in (9, 4, 5)],
    "categories": [{"id": 7, "name": "dog"}, {"id": 2, "name": "cat"}],
    "annotations": [
        annotation(1, 9, 7),
        annotation(2, 4, 2, iscrowd=1),
        annotation(0, 9, 2),
        annotation(4, 4, 7, num_keypoints=0),
    ],
}
RESULTS = [
    {"image_id": 9, "category_id": c, "score": s, "bbox": [0, 1, 2, s], "segmentation": POLYGON, "keypoints": POINTS}
    for c, s in ((7, 0.5), (2, 0.25), (7, 0.5))
]


@pytest.fixture
def opened(data, open_annotated: Open) -> Open:
    """Writes the annotations and opens them for a task."""

    def build(task: str = "detection", content: Any = CONTENT, **params: Any) -> CocoSource:
        data.text("a.json", json.dumps(content))
        return open_annotated("coco", task, {"annotations": "a.json", **params})

    return build


@pytest.fixture
def found(data) -> Callable[[CocoSource, str], dict[str, Detections]]:
    def build(source: CocoSource, task: str) -> dict[str, Detections]:
        data.text("r.json", json.dumps(RESULTS))
        return detections_of(source.truth, read_results(data.root / "r.json", source.truth, KINDS[task]))

    return build


def test_images_are_samples(opened: Open, data) -> None:
    """Every image, by ascending id, with or without objects; classes by ascending id too."""
    data.rgb("test/0009.png")
    source = opened(image="{split}/{image:0>4}.png")
    assert source.ids == ("4", "5", "9")
    assert source.classes == ("cat", "dog")
    assert source.load("9").inputs["image"].shape == (6, 8, 3)
    assert source.without_inputs("9").inputs == {}


def test_objects_of_an_image(opened: Open) -> None:
    """In the order of the file; an image without objects has columns of length 0."""
    source = opened()
    crowded, empty, nine = (source.without_inputs(number).target for number in source.ids)
    assert nine.labels.tolist() == [1, 0]
    assert nine.areas.tolist() == [10, 9]
    assert nine.boxes.tolist() == [[1, 2, 3.5, 4], [0, 2, 3.5, 4]]
    assert nine.matchable.tolist() == [True, False]
    assert crowded.crowd.tolist() == [True, False]
    assert (empty.labels.shape, empty.boxes.shape) == ((0,), (0, 4))
    assert (nine.masks, nine.keypoints) == (None, None)


def test_keypoints_and_masks(opened: Open) -> None:
    """What the task needs is read, and nothing else; compressed masks are text, as JSON has it."""
    people = opened("keypoints").without_inputs("4").target
    assert people.keypoints.shape == (2, 17, 3)
    assert people.ignored.tolist() == [True, True]
    masked = opened("instance-segmentation")
    for mask in masked.without_inputs("9").target.masks:
        assert mask["size"] == (10, 20)
        assert isinstance(mask["counts"], str)
    assert masked.without_inputs("9").target.boxes is None
    assert masked.without_inputs("5").target.masks == ()


@pytest.mark.parametrize("task", KINDS)
def test_objects_put_together_are_the_columns(opened: Open, task: str) -> None:
    """Concatenated, the objects of the images are those of the file, sorted by image."""
    source = opened(task)
    truth, parts = source.truth, objects_of(source.truth)
    order = np.argsort(truth.image, kind="stable")
    assert [len(part.labels) for part in parts] == np.bincount(truth.image, minlength=3).tolist()
    for name, column in (("labels", "category"), ("areas", "area"), ("crowd", "crowd"), ("ignored", "ignored")):
        joined = np.concatenate([getattr(part, name) for part in parts])
        np.testing.assert_array_equal(joined, getattr(truth, column)[order])
    masks = [mask["counts"].encode() for part in parts for mask in part.masks or ()]
    assert masks == ([truth.mask[i]["counts"] for i in order] if task == "instance-segmentation" else [])


@pytest.mark.parametrize("task", KINDS)
def test_detections_of_an_image(opened: Open, found, task: str) -> None:
    """All images are predicted, most of them with nothing; the journal gives back what it was given."""
    source = opened(task)
    predictions = found(source, task)
    assert set(predictions) == set(source.ids)
    nine = predictions["9"]
    assert nine.labels.tolist() == [1, 0, 1]
    assert nine.scores.tolist() == [0.5, 0.25, 0.5]
    assert [len(predictions[number].labels) for number in ("4", "5")] == [0, 0]
    for sample_id, prediction in predictions.items():
        again = Detections.decode(sample_id, prediction.encode())
        np.testing.assert_array_equal(again.areas, prediction.areas)
        assert (again.boxes is None) == (prediction.boxes is None)
        assert [m["counts"] for m in again.masks or ()] == [m["counts"] for m in prediction.masks or ()]
        if prediction.keypoints is not None:
            np.testing.assert_array_equal(again.keypoints, prediction.keypoints)


@pytest.mark.parametrize("task", KINDS)
def test_digest_of_a_sample(opened: Open, task: str) -> None:
    """The same file gives the same digests, another object gives that image another one."""
    before = opened(task)
    other = CONTENT | {"annotations": [*CONTENT["annotations"][:-1], annotation(4, 4, 2, num_keypoints=0)]}
    after = opened(task, other)
    digests = [[source.without_inputs(number).digest() for number in source.ids] for source in (before, before, after)]
    assert digests[0] == digests[1]
    assert [a == b for a, b in zip(digests[0], digests[2], strict=True)] == [False, True, True]


def test_digest_does_not_depend_on_how_the_file_was_read(opened: Open, tmp_path: Path) -> None:
    """A polygon and its compressed run lengths are one mask."""
    source = opened("instance-segmentation")
    masks = [json.loads(json.dumps(dict(mask))) for mask in source.without_inputs("9").target.masks]
    content = json.loads(json.dumps(CONTENT))
    for place, mask in zip((0, 2), masks, strict=True):
        content["annotations"][place]["segmentation"] = mask
    again = opened("instance-segmentation", content)
    assert again.without_inputs("9").digest() == source.without_inputs("9").digest()


def test_text_ids(opened: Open) -> None:
    """Ids may be texts; they are filled up with zeros as numbers are."""
    content = CONTENT | {"images": [{"id": "n1", "height": 10, "width": 20}], "annotations": []}
    source = opened(content=content, image="{image:0>4}.png")
    assert source.ids == ("n1",)
    assert source.items[0].image == "00n1.png"


def test_wrong_files_and_parameters(opened: Open) -> None:
    """The readers' own tests have the malformed files; here only that their sentence comes through."""
    with pytest.raises(LoadError, match=r"a\.json' has no list of "):
        opened(content={"images": []})
    with pytest.raises(UsageError, match=r"source\.params: '\{picture\}\.png' is no path"):
        opened(image="{picture}.png")
