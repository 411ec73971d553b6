"""Detection: boxes that enclose what is drawn, policies that use only what they may see."""

from __future__ import annotations

import contextlib
import io

import numpy as np
import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmbench.sources.scenes.tasks.catalogue import TASKS


@pytest.mark.parametrize("regime", TASKS["det"].regimes)
def test_boxes_enclose_the_objects(open_task, regime: str) -> None:
    """Against the pixels that colour or depth sets off from the background."""
    source = open_task("det", regime)
    for sample_id in source.ids[:20]:
        sample = source.load(sample_id)
        tint = np.bincount(sample.inputs["rgb"].reshape(-1, 3).astype(int) @ [65536, 256, 1]).argmax()
        drawn = (sample.inputs["rgb"].astype(int) @ [65536, 256, 1] != tint) | (sample.inputs["depth"] < 1.13)
        assert (sample.target.boxes.dtype, sample.target.labels.dtype) == (np.float32, np.int64)
        assert sample.target.labels.max() < len(source.classes)
        covered = np.zeros_like(drawn)
        for x1, y1, x2, y2 in sample.target.boxes.astype(int):
            inside = drawn[y1:y2, x1:x2]
            assert inside[0].any()
            assert inside[-1].any()
            assert inside[:, 0].any()
            assert inside[:, -1].any()
            covered[y1:y2, x1:x2] = True
        assert not (drawn & ~covered).any()


def test_the_best_policy_names_every_class_that_is_possible(open_task) -> None:
    """S4: one modality gives each box four times at 1/4, both once at 1; one label a box on request."""
    source = open_task("det", "S4")
    ids = source.ids[:30]
    alone, fused = source.policies(ids, ("rgb",)), source.policies(ids, ("rgb", "depth"))
    for number, sample_id in enumerate(ids):
        truth = source.without_inputs(sample_id).target
        assert len(alone["every class"][number].labels) == 16
        assert set(alone["every class"][number].scores) == {0.25}
        assert len(alone["one class"][number].labels) == 4
        assert np.array_equal(fused["every class"][number].labels, truth.labels)
        assert np.array_equal(corners(fused["every class"][number].boxes), truth.boxes)


def test_hidden_objects_are_not_detected(open_task) -> None:
    source = open_task("det", "C")
    found = source.policies(source.ids, ("rgb",))["one class"]
    assert sum(len(one.labels) for one in found) == pytest.approx(0.65 * 4 * 256, rel=0.01)


def test_nothing_observed_gives_nothing(open_task) -> None:
    source = open_task("det", "S4")
    assert [len(one.labels) for one in source.policies(source.ids[:3], ())["every class"]] == [0, 0, 0]
    assert source.bounds(source.ids[:3]) == ()


def average_precision(source, detections) -> float:
    """COCO's AP of all detections of a split, by the official code."""
    truth, found = [], []
    for image, (sample_id, policy) in enumerate(zip(source.ids, detections, strict=True), start=1):
        target = source.without_inputs(sample_id).target
        for box, label in zip(target.boxes.tolist(), target.labels.tolist(), strict=True):
            truth.append({**entry(image, box, label), "id": len(truth) + 1, "iscrowd": 0})
        for box, label, score in zip(
            corners(policy.boxes).tolist(), policy.labels.tolist(), policy.scores.tolist(), strict=True
        ):
            found.append({**entry(image, box, label), "score": score})
    dataset = COCO()
    dataset.dataset = {
        "images": [{"id": image, "width": 64, "height": 64} for image in range(1, len(detections) + 1)],
        "annotations": truth,
        "categories": [{"id": label + 1, "name": name} for label, name in enumerate(source.classes)],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        dataset.createIndex()
        evaluation = COCOeval(dataset, dataset.loadRes(found), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0])


def corners(boxes: np.ndarray) -> np.ndarray:
    """From left, top, width, height."""
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def entry(image: int, box: list[float], label: int) -> dict[str, object]:
    x1, y1, x2, y2 = box
    size = {"bbox": [x1, y1, x2 - x1, y2 - y1], "area": (x2 - x1) * (y2 - y1)}
    return {"image_id": image, "category_id": label + 1, **size}


def test_policies_have_the_average_precision_of_the_design(open_task) -> None:
    """S4, k = 4: about 1/k with every class on each box (a little more in finite samples), 1/k^2 with one label."""
    source = open_task("det", "S4")
    alone, fused = source.policies(source.ids, ("rgb",)), source.policies(source.ids, ("rgb", "depth"))
    assert average_precision(source, alone["every class"]) == pytest.approx(0.26, abs=0.02)
    assert average_precision(source, alone["one class"]) == pytest.approx(1 / 16, abs=0.02)
    assert average_precision(source, fused["every class"]) == pytest.approx(1)
