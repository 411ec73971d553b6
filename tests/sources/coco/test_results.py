"""COCO results as columns, with the areas of the official scorer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as masks

from mmbench.core.errors import LoadError
from mmbench.sources.coco.annotations import read_ground_truth
from mmbench.sources.coco.columns import Detections
from mmbench.sources.coco.results import read_results

TRUTH = {
    "images": [{"id": 3, "height": 10, "width": 20}, {"id": 1, "height": 10, "width": 20}],
    "categories": [{"id": 5, "name": "dog"}],
    "annotations": [],
}
MASK = np.zeros((10, 20), np.uint8, order="F")
MASK[2:5, 3:7] = 1
COUNTS = masks.encode(MASK)["counts"].decode()
RUNS = [32, 3, 7, 3, 7, 3, 7, 3, 135]
BOX = {"image_id": 3, "category_id": 5, "score": 0.5, "bbox": [1, 2, 3, 4]}


def read(folder: Path, results: Any, kind: str) -> Detections:
    (folder / "truth.json").write_text(json.dumps(TRUTH))
    (folder / "results.json").write_text(json.dumps(results))
    return read_results(folder / "results.json", read_ground_truth(folder / "truth.json", kind), kind)


def test_boxes(tmp_path: Path) -> None:
    """Columns in the order of the file; the area is that of the box."""
    found = read(tmp_path, [BOX, BOX | {"image_id": 1, "score": -2}], "bbox")
    assert found.image.tolist() == [1, 0]
    assert found.category.tolist() == [0, 0]
    assert found.score.tolist() == [0.5, -2]
    assert found.area.tolist() == [12, 12]


@pytest.mark.parametrize(
    "segmentation",
    [
        {"size": [10, 20], "counts": COUNTS},
        {"size": [10, 20], "counts": RUNS},
        [[3, 2, 7, 2, 7, 5, 3, 5]],
    ],
)
def test_masks(segmentation: Any, tmp_path: Path) -> None:
    """Compressed and plain run lengths and polygons give one mask; its pixels are the area."""
    result = {"image_id": 3, "category_id": 5, "score": 0.5, "segmentation": segmentation}
    found = read(tmp_path, [result] * 300, "segm")
    assert found.mask[299] == {"size": [10, 20], "counts": COUNTS.encode()}
    assert found.area.tolist() == [12] * 300


def test_boxes_beside_masks_give_the_area(tmp_path: Path) -> None:
    """The official rule: where results have boxes, the area of the box sorts them into small, medium and large."""
    result = BOX | {"segmentation": {"size": [10, 20], "counts": COUNTS}, "bbox": [0, 0, 5, 7]}
    assert read(tmp_path, [result], "segm").area.tolist() == [35]


def test_keypoints(tmp_path: Path) -> None:
    """The area is that of the smallest box around all keypoints, or of the box where there is one."""
    points = np.zeros((17, 3))
    points[:, :2] = [4, 5]
    points[0, :2], points[3, :2] = [2, 1], [8, 6]
    result = {"image_id": 3, "category_id": 5, "score": 0.5, "keypoints": points.ravel().tolist()}
    assert read(tmp_path, [result], "keypoints").area.tolist() == [30]
    assert read(tmp_path, [result | {"bbox": [0, 0, 2, 2]}], "keypoints").area.tolist() == [4]


@pytest.mark.parametrize("kind", ["bbox", "segm", "keypoints"])
def test_no_results(kind: str, tmp_path: Path) -> None:
    """An empty list is a system that found nothing."""
    found = read(tmp_path, [], kind)
    assert len(found.image) == len(found.score) == len(found.area) == 0


@pytest.mark.parametrize(
    ("results", "sentence"),
    [
        ({"annotations": []}, "no list of results"),
        ([BOX, 3], "result at place 1 that is no JSON object"),
        ([BOX, BOX | {"image_id": 2}], "result at place 1 has image_id 2, which is not in the annotations"),
        ([BOX | {"image_id": "3"}], 'image_id "3", which is not in'),
        ([BOX | {"category_id": 6}], "category_id 6, which is not in the annotations"),
        ([BOX | {"score": float("nan")}], "has NaN as 'score', expected finite numbers"),
        ([BOX | {"score": "0.5"}], "has \"0.5\" as 'score', expected a finite number"),
        ([BOX | {"bbox": [1, 2, 3, -4]}], "has [1, 2, 3, -4] as 'bbox'"),
        ([BOX, {"image_id": 3, "category_id": 5, "score": 1}], "result at place 1 has no 'bbox'"),
        ([{"image_id": 3, "category_id": 5, "bbox": [1, 2, 3, 4]}], "has no 'score'"),
    ],
)
def test_malformed_results(results: Any, sentence: str, tmp_path: Path) -> None:
    """One sentence that names the result and the key."""
    with pytest.raises(LoadError) as caught:
        read(tmp_path, results, "bbox")
    assert sentence in str(caught.value)
    assert "results.json" in str(caught.value)
