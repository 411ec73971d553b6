"""Detections of a result file: for every image of the annotations, in the terms of the suite."""

from __future__ import annotations

from typing import Any

import pytest

from mmbench.adapters.results.detections import read
from mmbench.core.errors import LoadError, UsageError
from mmbench.sources.coco_objects import KINDS

CONTENT = {
    "images": [{"id": i, "height": 10, "width": 20} for i in (9, 4)],
    "categories": [{"id": 7, "name": "dog"}, {"id": 2, "name": "cat"}],
    "annotations": [],
}
GOOD = {
    "image_id": 9,
    "category_id": 7,
    "score": 0.5,
    "bbox": [1, 2, 3, 4],
    "segmentation": [[1, 1, 6, 1, 6, 4]],
    "keypoints": [float(x) for x in range(51)],
}
COLUMN = {"detection": "boxes", "instance-segmentation": "masks", "keypoints": "keypoints"}


@pytest.mark.parametrize("task", KINDS)
def test_every_image_is_predicted(suite, coco, written, task: str) -> None:
    """Labels count the classes by ascending id; an image that the file does not name has no detection."""
    found = read(written([GOOD, GOOD | {"category_id": 2}]), suite(task), coco(task, CONTENT))
    assert set(found) == {"4", "9"}
    assert found["9"].labels.tolist() == [1, 0]
    assert len(getattr(found["9"], COLUMN[task])) == 2
    assert len(found["4"].scores) == len(getattr(found["4"], COLUMN[task])) == 0


@pytest.mark.parametrize("task", KINDS)
def test_no_detection_at_all(suite, coco, written, task: str) -> None:
    """An empty list is a system that found nothing."""
    found = read(written([]), suite(task), coco(task, CONTENT))
    assert {number: len(one.labels) for number, one in found.items()} == {"4": 0, "9": 0}


MALFORMED: dict[str, tuple[Any, str]] = {
    "an object": ({"results": [GOOD]}, "has no list of results"),
    "entry no object": ([3], "a result at place 0 that is no JSON object"),
    "unknown image": ([GOOD, GOOD | {"image_id": 77}], "result at place 1 has image_id 77, which is not in"),
    "image as text": ([GOOD | {"image_id": "9"}], 'place 0 has image_id "9", which is not in'),
    "unknown class": ([GOOD | {"category_id": 1}], "place 0 has category_id 1, which is not in"),
    "score not finite": ([GOOD | {"score": float("nan")}], "place 0 has NaN as 'score'"),
    "no score": ([{k: v for k, v in GOOD.items() if k != "score"}], "place 0 has no 'score'"),
    "negative size": ([GOOD | {"bbox": [0, 0, -1, 2]}], "place 0 .* 'bbox', expected"),
    "truncated": ('[\n{"image_id": 9, "categ', "not JSON at line 2, column 17"),
}


@pytest.mark.parametrize(("content", "message"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_results_are_explained(suite, coco, written, content: Any, message: str) -> None:
    """One sentence with the file and the place, the id, the key or the line."""
    source = coco("detection", CONTENT)
    with pytest.raises(LoadError, match=message) as caught:
        read(written(content), suite("detection"), source)
    assert "results.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_source_that_is_not_coco(suite, samples, written) -> None:
    with pytest.raises(UsageError, match="'toy' does not read COCO files"):
        read(written([GOOD]), suite("detection"), samples("9"))
