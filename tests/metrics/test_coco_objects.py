"""The registered metrics of detection against pycocotools, from the official files to the figures."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pycocotools import mask as masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmbench.content import load_suite
from mmbench.core.errors import SampleError
from mmbench.core.metric import Floats, TaskContext
from mmbench.core.prediction import ClassScores, Detections
from mmbench.metrics.coco_objects import CocoBoxes, packed, unpacked
from mmbench.metrics.coco_settings import INSTANCES
from mmbench.metrics.detection import match_boxes
from mmbench.sources.coco.annotations import read_ground_truth
from mmbench.sources.coco.results import read_results
from mmbench.sources.coco_objects import KINDS, detections_of, objects_of

SUITES = {"detection": "det-coco", "instance-segmentation": "det-coco-segm", "keypoints": "det-coco-keypoints"}
OWN = {"detection": "bbox", "instance-segmentation": "segmentation", "keypoints": "keypoints"}
TASKS = tuple(SUITES)
SIDE = 160
IMAGES = tuple(range(10, 24))
CLASSES = ("cat", "dog", "fox", "owl")
Scored = Any


def figures(task: str) -> tuple[str, ...]:
    """The suite's metrics that are one number, in the official order."""
    spec, _ = load_suite(SUITES[task])
    return tuple(name for name in spec.metrics if "class" not in name)


def boxes(random: np.random.Generator, count: int) -> Floats:
    """Boxes of all of COCO's sizes."""
    sizes = random.choice([12, 40, 120], (count, 1)) * random.uniform(0.7, 1.2, (count, 2))
    return np.concatenate([random.uniform(0, 1, (count, 2)) * (SIDE - sizes), sizes], axis=1).round(1)


def shape(box: Sequence[float]) -> dict[str, Any]:
    """The mask of a box and 17 keypoints inside it."""
    x, y, w, h = box
    rle = masks.merge(masks.frPyObjects([[x, y, x + w, y, x + w, y + h, x, y + h]], SIDE, SIDE))
    steps = np.arange(17)
    points = np.stack([x + w * (steps % 5) / 5, y + h * (steps // 5) / 4, np.where(steps % 3, 2, 1)], axis=1)
    segmentation = {"size": rle["size"], "counts": rle["counts"].decode()}
    return {"bbox": [float(v) for v in box], "segmentation": segmentation, "keypoints": points.ravel().tolist()}


def truth_of(random: np.random.Generator) -> dict[str, Any]:
    """Crowds, an image (the last) and a class (the last) without objects."""
    annotations = []
    for image in IMAGES[:-1]:
        for box in boxes(random, int(random.integers(1, 6))):
            place = {"id": len(annotations) + 1, "image_id": image, "category_id": int(random.integers(1, 4))}
            crowd = int(random.random() < 0.1)
            area = float(box[2] * box[3])
            annotations.append(place | shape(box) | {"area": area, "iscrowd": crowd, "num_keypoints": 17})
    return {
        "images": [{"id": i, "height": SIDE, "width": SIDE} for i in IMAGES],
        "categories": [{"id": c, "name": name} for c, name in enumerate(CLASSES, 1)],
        "annotations": annotations,
    }


def results_of(random: np.random.Generator, truth: dict[str, Any]) -> list[dict[str, Any]]:
    """Most objects found about where they are, some twice, and some that are not there; scores tie."""
    found = []
    for a in truth["annotations"]:
        for _ in range(random.integers(0, 3)):
            moved = np.array(a["bbox"]) * (1 + random.normal(0, 0.06, 4))
            found.append((a["image_id"], a["category_id"], moved.clip(1, SIDE - 1)))
    found += [(int(random.choice(IMAGES)), int(random.integers(1, 5)), box) for box in boxes(random, 12)]
    scores = random.integers(1, 40, len(found)) / 40
    return [
        {"image_id": i, "category_id": c, "score": float(s)} | shape(box)
        for (i, c, box), s in zip(found, scores, strict=True)
    ]


@dataclass(frozen=True)
class Case:
    """A task's files and what is scored."""

    task: str
    truth: dict[str, Any]
    results: list[dict[str, Any]]
    scored: Scored
    expected: COCOeval

    def official(self, images: Sequence[int] = IMAGES) -> Floats:
        """pycocotools on these images, NaN for -1."""
        self.expected.params.imgIds = list(images)
        with contextlib.redirect_stdout(io.StringIO()):
            self.expected.evaluate()
            self.expected.accumulate()
            self.expected.summarize()
        return np.where(self.expected.stats == -1, np.nan, self.expected.stats)


def evaluation(task: str, truth: dict[str, Any], results: list[dict[str, Any]]) -> COCOeval:
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = json.loads(json.dumps(truth))
        coco.createIndex()
        return COCOeval(coco, coco.loadRes(results), KINDS[task])


@pytest.fixture
def case(scored: Callable[..., Scored], tmp_path: Path) -> Callable[[str], Case]:
    """From files to the tables of a task."""

    def build(task: str) -> Case:
        random = np.random.default_rng(8)
        content = truth_of(random)
        # A box beside a mask would give the area, so results hold what their task has alone.
        kept = [{k: r[k] for k in ("image_id", "category_id", "score", OWN[task])} for r in results_of(random, content)]
        (tmp_path / "truth.json").write_text(json.dumps(content))
        (tmp_path / "results.json").write_text(json.dumps(kept))
        truth = read_ground_truth(tmp_path / "truth.json", KINDS[task])
        predictions = detections_of(truth, read_results(tmp_path / "results.json", truth, KINDS[task]))
        names = load_suite(SUITES[task])[0].metrics
        tables = scored(names, objects_of(truth), [predictions[str(i)] for i in truth.image_ids], truth.categories)
        return Case(task, content, kept, tables, evaluation(task, content, kept))

    return build


def close(found: dict[str, Floats], task: str, expected: Floats) -> bool:
    ours = np.array([float(found[name][0]) for name in figures(task)])
    return np.allclose(ours, expected, rtol=0, atol=1e-12, equal_nan=True)


@pytest.mark.parametrize("task", TASKS)
def test_the_official_figures(case, task: str) -> None:
    """In the order of pycocotools; none of them is trivial."""
    made = case(task)
    expected = made.official()
    assert close(made.scored.values(), task, expected)
    assert ((expected > 0) & (expected < 1)).all()
    assert len(set(expected.tolist())) > len(expected) // 2


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("part", [slice(0, 5), slice(4, 14, 2), slice(13, 14)])
def test_a_slice_of_images(case, task: str, part: slice) -> None:
    """Rows that are packed, cut and unpacked are those of pycocotools on these images alone; 0/1 weights are a slice.

    An image without an object has no figure.
    """
    made = case(task)
    chosen = [int(number in IMAGES[part]) for number in IMAGES]
    expected = made.official(IMAGES[part])
    assert close(made.scored.repeated(chosen), task, expected)
    assert close(made.scored.values([chosen]), task, expected)
    assert np.isnan(expected).all() == (part == slice(13, 14))


@pytest.mark.parametrize("task", TASKS)
def test_weights_are_repetitions(case, task: str) -> None:
    """A draw equals images that literally occur so often; draws do not see each other."""
    made = case(task)
    random = np.random.default_rng(2)
    draws = random.integers(0, 3, (3, len(IMAGES)))
    found = made.scored.values(draws)
    for place, counts in enumerate(draws):
        literal = made.scored.repeated(counts)
        for name, values in found.items():
            np.testing.assert_allclose(values[place], literal[name][0], rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    ("task", "name"), [("detection", "class_ap_100"), ("instance-segmentation", "segm_class_ap_100")]
)
def test_classes(case, task: str, name: str) -> None:
    """AP of each class; one without objects has none."""
    made = case(task)
    made.official()
    precision = made.expected.eval["precision"][:, :, :, 0, 2]
    expected = [p[p > -1].mean() if (p > -1).any() else np.nan for p in np.moveaxis(precision, 2, 0)]
    np.testing.assert_allclose(made.scored.values()[name][0], expected, rtol=0, atol=1e-12)
    assert np.isnan(expected).tolist() == [False, False, False, True]


def test_support_and_absent(case) -> None:
    """Images with an object of the class that is to be found: a crowd is none."""
    made = case("detection")
    context = TaskContext(CLASSES, None)
    objects = {(a["image_id"], a["category_id"]) for a in made.truth["annotations"] if not a["iscrowd"]}
    assert any(a["iscrowd"] for a in made.truth["annotations"])
    table = made.scored.tables["coco_boxes"]
    assert CocoBoxes().support(table, context).tolist() == [sum(c == k for _, c in objects) for k in range(1, 5)]
    assert CocoBoxes().absent(table, context) == 1


def test_packed_rows_are_unpacked_again(case, tmp_path: Path) -> None:
    """Every column survives, for any number of detections and objects of an image, none included."""
    made = case("detection")
    truth = read_ground_truth(tmp_path / "truth.json", "bbox")
    rows = match_boxes(truth, read_results(tmp_path / "results.json", truth, "bbox"))
    again = unpacked(packed(rows), TaskContext(truth.categories, None), INSTANCES)
    assert again.image_ids == tuple(range(len(IMAGES)))
    for name in ("image", "category", "rank", "score", "matched", "ignored", "truth_image", "truth_category"):
        ours, column = getattr(again, name), getattr(rows, name)
        np.testing.assert_array_equal(ours, column)
        assert ours.dtype == column.dtype
    np.testing.assert_array_equal(again.truth_count, rows.truth_count)
    assert len(made.results) > len(rows.image) // 2


def detections(labels: Sequence[int], scores: Sequence[float]) -> Detections:
    n = len(labels)
    return Detections("x", np.array(scores, float), np.array(labels, np.int64), np.zeros(n), np.zeros((n, 4)))


@pytest.mark.parametrize(
    ("prediction", "message"),
    [
        (ClassScores("x", np.zeros(2, np.float32)), "'x' is scores, expected detections"),
        (detections([0, 4], [0.5, 0.5]), "'x' has a class that the suite does not have"),
        (detections([-1], [0.5]), "'x' has a class that the suite does not have"),
        (detections([0, 1], [0.5, np.nan]), "'x' has a score that is not finite"),
    ],
)
def test_what_cannot_be_scored(prediction, message: str) -> None:
    context = TaskContext(CLASSES, None)
    with pytest.raises(SampleError, match=message):
        CocoBoxes().check(None, prediction, context)
    for fine in (detections([], []), detections([3], [0.5])):
        CocoBoxes().check(None, fine, context)


def test_joint_figures_are_those_computed_alone(case) -> None:
    """Figures that share a pass do not change each other."""
    made = case("detection")
    together = made.scored.values()
    alone = made.scored.only(["ap75_100"]).values()
    assert alone.keys() == {"ap75_100"}
    assert alone["ap75_100"] == together["ap75_100"]
