"""Detection against pycocotools: the same figures, on random objects, and for images literally repeated."""

from __future__ import annotations

import contextlib
import copy
import io
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pycocotools import mask as masks
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from mmbench.core.errors import UnknownName, UsageError
from mmbench.metrics.average_precision import average_precision, class_average_precision
from mmbench.metrics.detection import match_boxes, match_keypoints, match_masks
from mmbench.metrics.match_rows import MatchRows
from mmbench.sources.coco.annotations import read_ground_truth
from mmbench.sources.coco.results import read_results

MATCH: dict[str, Callable[..., MatchRows]] = {
    "bbox": match_boxes,
    "segm": match_masks,
    "keypoints": match_keypoints,
}
SIZE = 200
Case = tuple[dict[str, Any], list[dict[str, Any]]]
SEEDS = st.integers(0, 2**32 - 1)


def official(case: Case, kind: str) -> COCOeval:
    """The evaluation by pycocotools."""
    content, results = copy.deepcopy(case)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = content
        truth.createIndex()
        evaluation = COCOeval(truth, truth.loadRes(results), kind)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def figures_of(evaluation: COCOeval) -> np.ndarray:
    """The 12 or 10 figures, NaN for what the official scorer prints as -1."""
    return np.where(evaluation.stats == -1, np.nan, evaluation.stats)


def matched(case: Case, kind: str, folder: Path) -> MatchRows:
    """Our match lists, through the readers of files."""
    (folder / "truth.json").write_text(json.dumps(case[0]))
    (folder / "results.json").write_text(json.dumps(case[1]))
    truth = read_ground_truth(folder / "truth.json", kind)
    return MATCH[kind](truth, read_results(folder / "results.json", truth, kind))


def equal(ours: np.ndarray, theirs: np.ndarray) -> bool:
    return np.allclose(ours, theirs, rtol=0, atol=1e-12, equal_nan=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("coco")


def boxes(random: np.random.Generator, count: int, step: int) -> list[list[float]]:
    """Boxes on a grid of ``step`` pixels, so that overlaps tie and meet thresholds exactly; some have no area."""
    corners = random.integers(0, SIZE // 2 // step, (count, 2)) * step
    sizes = random.integers(0, SIZE // 2 // step + 1, (count, 2)) * step
    return np.concatenate([corners, sizes], axis=1).astype(float).tolist()


def ellipse(box: Sequence[float]) -> dict[str, Any]:
    """A mask inside a box."""
    y, x = np.mgrid[:SIZE, :SIZE]
    inside = ((x - box[0]) / max(box[2], 1) * 2 - 1) ** 2 + ((y - box[1]) / max(box[3], 1) * 2 - 1) ** 2 <= 1
    rle = masks.encode(np.asfortranarray(inside.astype(np.uint8)))
    return {"size": rle["size"], "counts": rle["counts"].decode()}


def person(random: np.random.Generator, box: Sequence[float]) -> list[float]:
    """17 keypoints in a box; a third of the persons have none labelled."""
    points = np.array(box[:2]) + random.random((17, 2)) * np.array(box[2:])
    visible = random.integers(0, 3, 17) * (random.random() < 0.67)
    return np.concatenate([points.round(1), visible[:, None]], axis=1).ravel().tolist()


def made(seed: int, kind: str, images: int = 4, classes: int = 3, first_id: int = 0) -> Case:
    """Crowds, ties of scores and of overlaps, objects of any annotated area, images and classes without objects.

    One image in five has more detections than count, in one class. Ids are shuffled.
    """
    random = np.random.default_rng(seed)
    ids = random.permutation(images * 3)[:images].tolist()
    count = int(random.integers(0, 6 * images))
    step = int(random.choice([1, 10, 25]))
    content = {
        "images": [{"id": i, "height": SIZE, "width": SIZE} for i in ids],
        "categories": [{"id": c + 1, "name": f"class {c}"} for c in random.permutation(classes).tolist()],
        "annotations": [
            annotation(random, box, kind, first_id + number, ids, classes)
            for number, box in enumerate(boxes(random, count, step))
        ],
    }
    results = [
        result(random, near, kind, truth)
        for truth in content["annotations"]
        for near in random.integers(0, 2, random.integers(0, 4)).tolist()
    ]
    for image in ids:
        extra = 130 if random.random() < 0.2 else int(random.integers(0, 6))
        where = {"image_id": image, "category_id": 1}
        results += [result(random, 0, kind, where | {"bbox": box}) for box in boxes(random, extra, step)]
    random.shuffle(results)
    return content, results or [result(random, 0, kind, {"image_id": ids[0], "category_id": 1, "bbox": [0, 0, 9, 9]})]


def annotation(
    random: np.random.Generator, box: list[float], kind: str, number: int, ids: list[int], classes: int
) -> dict[str, Any]:
    found = {
        "id": number,
        "image_id": int(random.choice(ids)),
        "category_id": int(random.integers(1, classes + 1)),
        "bbox": box,
        "area": float(random.choice([box[2] * box[3], 0, 32**2, 96**2, 5000, 500])),
        "iscrowd": int(random.random() < 0.15),
    }
    if kind == "segm":
        found["segmentation"] = ellipse(box)
    if kind == "keypoints":
        found["keypoints"] = person(random, box)
        found["num_keypoints"] = int(np.count_nonzero(found["keypoints"][2::3]))
    return found


def result(random: np.random.Generator, near: int, kind: str, truth: dict[str, Any]) -> dict[str, Any]:
    """A detection of ``truth``: at its place, or moved a little."""
    box = (np.array(truth["bbox"]) + (0 if near else 1) * random.integers(-5, 6, 4)).clip(0).tolist()
    found = {
        "image_id": truth["image_id"],
        "category_id": truth["category_id"],
        "score": float(random.integers(0, 8) / 8 if random.random() < 0.7 else random.random()),
    }
    if kind == "bbox":
        found["bbox"] = box
    if kind == "segm":
        found["segmentation"] = ellipse(box)
    if kind == "keypoints":
        points = np.array(truth.get("keypoints") or person(random, box))
        found["keypoints"] = (points + (0 if near else 1) * random.normal(0, 3, 51)).tolist()
    return found


def repeated(case: Case, times: Sequence[int]) -> Case:
    """Image i of the ascending ids literally occurs times[i] times, copy beside copy, under new ids."""
    content, results = case
    images, annotations, found = [], [], []
    for image, count in zip(sorted(content["images"], key=lambda image: image["id"]), times, strict=True):
        for copy_number in range(count):
            new = {"image_id": image["id"] * 1000 + copy_number}
            images.append(image | {"id": new["image_id"]})
            annotations += [a | new for a in content["annotations"] if a["image_id"] == image["id"]]
            found += [r | new for r in results if r["image_id"] == image["id"]]
    numbered = [a | {"id": number + 1} for number, a in enumerate(annotations)]
    return content | {"images": images, "annotations": numbered}, found


@settings(max_examples=25, deadline=None)
@given(seed=SEEDS)
@pytest.mark.parametrize("kind", ["bbox", "segm", "keypoints"])
def test_figures_equal_pycocotools(seed: int, kind: str, folder: Path) -> None:
    """All figures, also where annotation ids count from 0, which the official scorer takes for no match."""
    case = made(seed, kind)
    assert equal(average_precision(matched(case, kind, folder))[0], figures_of(official(case, kind)))


@settings(max_examples=15, deadline=None)
@given(seed=SEEDS)
def test_class_figures_equal_pycocotools(seed: int, folder: Path) -> None:
    """AP of a class is the mean over thresholds and recalls of its precision, AR that of its recall."""
    case = made(seed, "bbox")
    rows, evaluation = matched(case, "bbox", folder), official(case, "bbox")
    precision, recall = evaluation.eval["precision"][..., 0, 2].mean(axis=(0, 1)), evaluation.eval["recall"]
    theirs = np.stack([precision, recall[..., 0, 1].mean(axis=0), recall[..., 3, 2].mean(axis=0)], axis=1)
    ours = class_average_precision(rows, figures=["ap_100", "ar_10", "ar_large_100"])[0]
    assert rows.categories == tuple(f"class {c}" for c in range(3))
    assert equal(ours, np.where(theirs == -1, np.nan, theirs))


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS, times=st.lists(st.integers(0, 3), min_size=4, max_size=4).filter(any))
@pytest.mark.parametrize("kind", ["bbox", "keypoints"])
def test_a_draw_equals_images_literally_repeated(seed: int, kind: str, times: list[int], folder: Path) -> None:
    """Integer weights are what pycocotools gives for that many copies, equal scores included."""
    case = made(seed, kind, first_id=1)
    copies = repeated(case, times)
    if not copies[1]:
        return
    weights = np.array([times, [1, 1, 1, 1]])
    drawn, plain = average_precision(matched(case, kind, folder), weights)
    assert equal(drawn, figures_of(official(copies, kind)))
    assert equal(plain, figures_of(official(case, kind)))


@settings(max_examples=20, deadline=None)
@given(seed=SEEDS)
def test_merging_is_concatenation(seed: int, folder: Path) -> None:
    """Parts scored apart and concatenated, in any order, are the whole; a selection is weights of 0 and 1."""
    rows = matched(made(seed, "bbox"), "bbox", folder)
    parts = [rows.select([3, 1]), rows.select([0]), rows.select([2])]
    merged = MatchRows.concatenate(parts)
    assert merged.image_ids == tuple(rows.image_ids[i] for i in (3, 1, 0, 2))
    assert np.array_equal(average_precision(merged), average_precision(rows), equal_nan=True)
    assert equal(average_precision(parts[0]), average_precision(rows, np.array([[0, 1, 0, 1]])))


def test_draws_do_not_depend_on_how_they_are_cut(folder: Path) -> None:
    """More draws than fit one chunk, each as if it were alone; narrow integers are weights too."""
    rows = matched(made(5, "bbox", first_id=1), "bbox", folder)
    weights = np.random.default_rng(0).integers(0, 4, (130, 4)).astype(np.uint8)
    together = average_precision(rows, weights)
    assert together.shape == (130, 12)
    alone = np.concatenate([average_precision(rows, weights[i : i + 1]) for i in range(130)])
    assert np.allclose(together, alone, rtol=0, atol=1e-15, equal_nan=True)


def test_nothing_drawn_is_undefined(folder: Path) -> None:
    """A draw of no image has no figure; other draws beside it have."""
    rows = matched(made(5, "bbox", first_id=1), "bbox", folder)
    values = average_precision(rows, np.array([[0, 0, 0, 0], [1, 1, 1, 1]]), ["ap_100"])
    assert np.isnan(values[0, 0])
    assert 0 <= values[1, 0] <= 1


def test_without_detections_or_objects(folder: Path) -> None:
    """No detection gives 0 to every class with objects; no object leaves every figure undefined."""
    content, results = made(5, "bbox", first_id=1)
    assert average_precision(matched((content, []), "bbox", folder), figures=["ap_100", "ar_1"]).tolist() == [[0, 0]]
    assert np.isnan(average_precision(matched((content | {"annotations": []}, results), "bbox", folder))).all()
    empty = {"images": [], "categories": [], "annotations": []}
    assert np.isnan(average_precision(matched((empty, []), "bbox", folder))).all()


def test_flags_are_the_official_match_lists(folder: Path) -> None:
    """The bits of matched and ignored, per area and threshold, are dtMatches and dtIgnore."""
    case = made(11, "bbox", first_id=1)
    rows, evaluation = matched(case, "bbox", folder), official(case, "bbox")
    seen = 0
    for entry in filter(None, evaluation.evalImgs):
        area = evaluation.params.areaRng.index(entry["aRng"])
        here = (np.array(rows.image_ids)[rows.image] == entry["image_id"]) & (rows.category == entry["category_id"] - 1)
        assert rows.score[here].tolist() == entry["dtScores"]
        assert np.array_equal(rows.flags(rows.matched)[here, area].T, entry["dtMatches"] > 0)
        assert np.array_equal(rows.flags(rows.ignored)[here, area].T, entry["dtIgnore"])
        seen += int(here.sum())
    assert seen == 4 * len(rows.score) > 0


def test_wrong_arguments(folder: Path) -> None:
    """Unknown figures and weights that are no counts are refused; so are objects without the column asked for."""
    rows = matched(made(5, "bbox"), "bbox", folder)
    with pytest.raises(UnknownName, match="'ap_10'"):
        average_precision(rows, figures=["ap_10"])
    for weights in (np.ones((2, 3), int), np.ones(4, int), np.ones((1, 4)), -np.ones((1, 4), int)):
        with pytest.raises(ValueError, match="weights"):
            average_precision(rows, weights)
    truth = read_ground_truth(folder / "truth.json", "bbox")
    detections = read_results(folder / "results.json", truth, "bbox")
    with pytest.raises(UsageError, match="no mask column"):
        match_masks(truth, detections)
    with pytest.raises(UsageError, match="no keypoints column"):
        match_keypoints(truth, detections)


def test_other_keypoints_need_their_sigmas(folder: Path) -> None:
    """Keypoints are counted against the sigmas."""
    case = made(5, "keypoints")
    matched(case, "keypoints", folder)
    truth = read_ground_truth(folder / "truth.json", "keypoints")
    with pytest.raises(UsageError, match="17 keypoints, expected 5"):
        match_keypoints(truth, read_results(folder / "results.json", truth, "keypoints"), [0.1] * 5)


def test_rows_that_do_not_fit_are_refused(folder: Path) -> None:
    """An image cannot occur twice in a merge, nor can classes differ."""
    rows = matched(made(5, "bbox"), "bbox", folder)
    other = matched(made(5, "bbox", classes=4), "bbox", folder)
    with pytest.raises(ValueError, match="twice"):
        MatchRows.concatenate([rows, rows])
    with pytest.raises(ValueError, match="classes"):
        MatchRows.concatenate([rows, other])


@pytest.mark.parametrize(
    ("kind", "results", "published"),
    [
        (
            "bbox",
            "fakebbox100",
            "0.504581 0.696973 0.572982 0.585626 0.519400 0.501398 "
            "0.386813 0.593680 0.595353 0.639811 0.566421 0.564291",
        ),
        (
            "segm",
            "fakesegm100",
            "0.319545 0.562288 0.298927 0.387374 0.310183 0.326934 "
            "0.268230 0.415449 0.416839 0.469450 0.376759 0.381472",
        ),
    ],
)
def test_published_figures(kind: str, results: str, published: str, data_root: Callable[[str], Path]) -> None:
    """The 24 figures that the official files are known by."""
    root = data_root("coco_instances")
    truth = read_ground_truth(root / "annotations" / "instances_val2014_100.json", kind)
    found = read_results(root / "results" / f"instances_val2014_{results}_results.json", truth, kind)
    values = average_precision(MATCH[kind](truth, found))[0]
    assert values == pytest.approx([float(figure) for figure in published.split()], abs=1e-6)


@pytest.mark.parametrize("noise", [1, 4, 15])
def test_real_persons_equal_pycocotools(noise: float, data_root: Callable[[str], Path], tmp_path: Path) -> None:
    """Keypoints: real annotations, and detections that are made from them, some persons missed, some invented."""
    file = data_root("coco_mini") / "annotations" / "person_keypoints_val2017.json"
    content, random = json.loads(file.read_text()), np.random.default_rng(noise)
    results = []
    for truth in content["annotations"] * 2:
        moved = np.array(truth["keypoints"], float).reshape(17, 3) + random.normal(0, noise, (17, 3))
        image = truth["image_id"] if random.random() < 0.9 else int(random.choice([i["id"] for i in content["images"]]))
        score = float(random.random().__round__(2))
        results.append({"image_id": image, "category_id": 1, "keypoints": moved.ravel().tolist(), "score": score})
    case = (content, results)
    ours = average_precision(matched(case, "keypoints", tmp_path))[0]
    assert equal(ours, figures_of(official(case, "keypoints")))
    assert 0 < ours[0] < 1
