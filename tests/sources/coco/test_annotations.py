"""COCO annotations as columns, and the sentence that each malformed file ends with."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.core.errors import LoadError
from mmbench.sources.coco.annotations import read_ground_truth

POLYGON = [[1.0, 1.0, 6.0, 1.0, 6.0, 4.0]]


def content() -> dict[str, Any]:
    """Two images, two classes, two annotations, each with all that any kind needs."""
    points = [float(x) for x in range(51)]
    common = {"segmentation": POLYGON, "keypoints": points, "num_keypoints": 17}
    return {
        "images": [{"id": 9, "height": 10, "width": 20}, {"id": 4, "height": 30, "width": 40}],
        "categories": [{"id": 7, "name": "dog"}, {"id": 2, "name": "cat"}],
        "annotations": [
            common | {"id": 1, "image_id": 9, "category_id": 7, "bbox": [1, 2, 3.5, 4], "area": 12.5, "iscrowd": 0},
            common | {"id": 0, "image_id": 4, "category_id": 2, "bbox": [0, 0, 0, 0], "area": 0, "num_keypoints": 0},
        ],
    }


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "truth.json"


def read(file: Path, value: Any, kind: str) -> Any:
    file.write_text(json.dumps(value))
    return read_ground_truth(file, kind)


def test_columns(file: Path) -> None:
    """Ids ascend and objects point at them; a missing iscrowd is 0; the kind says what is read."""
    truth = read(file, content(), "bbox")
    assert truth.image_ids == (4, 9)
    assert truth.sizes.tolist() == [[30, 40], [10, 20]]
    assert (truth.category_ids, truth.categories) == ((2, 7), ("cat", "dog"))
    assert truth.image.tolist() == [1, 0]
    assert truth.category.tolist() == [1, 0]
    assert truth.box.tolist() == [[1, 2, 3.5, 4], [0, 0, 0, 0]]
    assert truth.area.tolist() == [12.5, 0]
    assert truth.crowd.tolist() == [False, False]
    assert truth.matchable.tolist() == [True, False]
    assert truth.mask is None
    assert truth.keypoints is None


def test_keypoints(file: Path) -> None:
    """Persons without labelled keypoints are ignored, and no crowd."""
    truth = read(file, content(), "keypoints")
    assert truth.keypoints.shape == (2, 17, 3)
    assert truth.keypoints[0, 1].tolist() == [3, 4, 5]
    assert truth.ignored.tolist() == [False, True]
    assert truth.crowd.tolist() == [False, False]


def test_text_ids_and_nameless_classes(file: Path) -> None:
    """Ids may be texts; a class without a name is called by its id."""
    value = content()
    for image, name in zip(value["images"], ("b", "a"), strict=True):
        image["id"] = name
    for annotation in value["annotations"]:
        annotation["image_id"] = "b"
    del value["categories"][0]["name"]
    truth = read(file, value, "bbox")
    assert truth.image_ids == ("a", "b")
    assert truth.image.tolist() == [1, 1]
    assert truth.categories == ("cat", "7")


def test_a_file_without_objects(file: Path) -> None:
    """No annotation is no mistake."""
    truth = read(file, content() | {"annotations": []}, "keypoints")
    assert truth.box.shape == (0, 4)
    assert truth.image_ids == (4, 9)


def changed(path: str, value: Any) -> dict[str, Any]:
    """The content with one value replaced, or removed for ``...``; the path is list/place/key."""
    result = copy.deepcopy(content())
    *parents, last = [int(part) if part.isdecimal() else part for part in path.split("/")]
    holder: Any = result
    for part in parents:
        holder = holder[part]
    if value is ...:
        del holder[last]
    else:
        holder[last] = value
    return result


MALFORMED = [
    ("bbox", "images", ..., "no list of images"),
    ("bbox", "annotations", {}, "no list of annotations"),
    ("bbox", "annotations/1", 3, "annotation at place 1 that is no JSON object"),
    ("bbox", "images/1/id", 9, "holds the image 9 twice"),
    ("bbox", "images/1/id", "x", "image 'x' has \"x\" as 'id', expected whole numbers, or texts, throughout"),
    ("bbox", "images/1/id", 1.5, "has 1.5 as 'id'"),
    ("bbox", "images/0/height", "10", "image 9 has \"10\" as 'height'"),
    ("bbox", "images/0/width", 100_000, "image 9 has 100000 as 'width'"),
    ("bbox", "categories/1/id", 7, "holds the category 7 twice"),
    ("bbox", "annotations/1/id", 1, "holds the annotation 1 twice"),
    ("bbox", "annotations/1/id", ..., "annotation at place 1 has no 'id'"),
    ("bbox", "annotations/1/image_id", 5, "annotation 0 has image_id 5, which is not in the images of the file"),
    ("bbox", "annotations/1/image_id", [4], "annotation 0 has image_id [4]"),
    ("bbox", "annotations/0/category_id", 3, "annotation 1 has category_id 3, which is not in the categories"),
    ("bbox", "annotations/0/category_id", ..., "annotation 1 has no 'category_id'"),
    ("bbox", "annotations/0/bbox", ..., "annotation 1 has no 'bbox'"),
    ("bbox", "annotations/0/bbox", [1, 2, -3, 4], "annotation 1 has [1, 2, -3, 4] as 'bbox', expected [left, top"),
    ("bbox", "annotations/0/bbox", [1, 2, float("nan"), 4], "annotation 1 has [1, 2, NaN, 4] as 'bbox'"),
    ("bbox", "annotations/0/bbox", [1, 2, 10**400, 4], "as 'bbox', expected finite numbers"),
    ("bbox", "annotations/0/bbox", [1, 2, 3], "has [1, 2, 3] as 'bbox', expected a list of 4"),
    ("bbox", "annotations/0/bbox", [1, 2, 3, "4"], "expected a list of 4 finite numbers"),
    ("bbox", "annotations/0/bbox", 7, "has 7 as 'bbox'"),
    ("bbox", "annotations/0/area", -1, "has -1 as 'area', expected a number of pixels"),
    ("bbox", "annotations/0/area", None, "has null as 'area', expected a finite number"),
    ("bbox", "annotations/0/iscrowd", 2, "has 2 as 'iscrowd', expected 0 or 1"),
    ("segm", "images/0/height", ..., "need the height and the width"),
    ("segm", "annotations/0/segmentation", [], "without polygons of at least 3 points"),
    ("segm", "annotations/0/segmentation", [[1, 1, 2, 2]], "without polygons of at least 3 points"),
    ("segm", "annotations/0/segmentation", [[1, 1, 2, 2, 1e9, 3]], "annotation 1 has a polygon with a coordinate"),
    ("segm", "annotations/0/segmentation", [[1, 1, 2, 2, "1", 3]], "annotation 1 has a polygon with a coordinate"),
    ("segm", "annotations/0/segmentation", "abc", "neither polygons nor an object with 'size' and 'counts'"),
    ("segm", "annotations/0/segmentation", {"size": [20, 10], "counts": [200]}, "of size [20, 10], expected its image"),
    ("segm", "annotations/0/segmentation", {"size": [10, 20], "counts": [199]}, "do not make up its image of 10 x 20"),
    ("segm", "annotations/0/segmentation", {"size": [10, 20], "counts": [-1, 201]}, "do not make up its image"),
    ("segm", "annotations/0/segmentation", {"size": [10, 20], "counts": 3}, "'counts' that are neither"),
    ("keypoints", "annotations/0/keypoints", [1, 2], "annotation 1 has 'keypoints' that are no list"),
    (
        "keypoints",
        "annotations/1/keypoints",
        [1, 2, 3],
        "annotation 0 has [1, 2, 3] as 'keypoints', expected a list of 51",
    ),
    ("keypoints", "annotations/1/num_keypoints", ..., "annotation 0 has no 'num_keypoints'"),
]


@pytest.mark.parametrize(("kind", "path", "value", "sentence"), MALFORMED)
def test_malformed_annotations(kind: str, path: str, value: Any, sentence: str, file: Path) -> None:
    """One sentence that names the file, the object and what was expected."""
    with pytest.raises(LoadError) as caught:
        read(file, changed(path, value), kind)
    message = str(caught.value)
    assert sentence in message
    assert message.endswith(".")
    assert "\n" not in message


def test_truncated_json_is_named_by_line_and_column(file: Path) -> None:
    """A file that was cut off."""
    file.write_text('{"images": [\n {"id": 1},')
    with pytest.raises(LoadError, match="not JSON at line 2, column 12"):
        read_ground_truth(file, "bbox")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(b"\xff\xfe\xfa", "not text in UTF-8"), (b"[" * 100_000, "cannot be read as JSON"), (b"3", "no JSON object")],
)
def test_other_files(data: bytes, sentence: str, file: Path) -> None:
    """Bytes that are no text, nesting beyond the stack, another JSON value."""
    file.write_bytes(data)
    with pytest.raises(LoadError, match=sentence):
        read_ground_truth(file, "bbox")


def test_a_missing_file(file: Path) -> None:
    """The path is named."""
    with pytest.raises(LoadError, match=r"truth\.json' is missing"):
        read_ground_truth(file, "bbox")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
PLACES = [
    f"annotations/0/{key}"
    for key in ("id", "image_id", "category_id", "bbox", "area", "iscrowd", "segmentation", "keypoints")
] + ["images/0", "images/0/id", "images/0/height", "categories/0/id", "categories/0/name", "annotations"]


@settings(max_examples=150, deadline=None)
@given(place=st.sampled_from(PLACES), value=JSON, kind=st.sampled_from(["bbox", "segm", "keypoints"]))
def test_any_value_is_read_or_refused(
    place: str, value: Any, kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever stands at a key: columns of the right lengths, or LoadError; never another exception."""
    file = tmp_path_factory.getbasetemp() / "fuzzed.json"
    try:
        truth = read(file, changed(place, value), kind)
    except LoadError:
        return
    assert len(truth.image) == len(truth.area) == len(truth.matchable)
    assert np.isfinite(truth.area).all()
