"""COCO box AP against the peers, from files to figures: ratios of one run, no wall-clock gate.

The peers are installed by hand: ``pip install --no-deps faster-coco-eval``. Run with one thread.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import json
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mmbench.metrics.average_precision import average_precision
from mmbench.metrics.detection import match_boxes
from mmbench.metrics.match_rows import MatchRows
from mmbench.sources.coco.annotations import read_ground_truth
from mmbench.sources.coco.results import read_results

CLASSES = 80
# As COCO's validation set and a detector's usual output: images, objects, detections.
FULL = (5_000, 36_348, 183_585)
SMALL = (100, 720, 3_600)
INTERVAL = ["ap_100", "ap50_100", "ap75_100"]


def write(folder: Path, size: tuple[int, int, int]) -> tuple[Path, Path]:
    """Seeded files: three classes an image, 1.2 % crowds; half of the detections near an object, with higher scores."""
    images, objects, detections = size
    random = np.random.default_rng(0)
    image = np.sort(random.integers(0, images, objects))
    category = random.integers(0, CLASSES, (images, 3))[image, random.integers(0, 3, objects)]
    box = np.concatenate([random.uniform(0, 500, (objects, 2)), np.exp(random.normal(4, 1, (objects, 2)))], axis=1)
    source, near = random.integers(0, objects, detections), random.random(detections) < 0.5
    moved = box[source] + random.normal(0, 0.08, (detections, 4)) * np.tile(box[source][:, 2:], 2)
    found = np.where(near[:, None], moved, box[random.permutation(detections) % objects]).round(2).clip(0)
    score = np.where(near, random.beta(5, 2, detections), random.beta(1, 4, detections)).round(6)
    crowd = (random.random(objects) < 0.012).astype(int)
    truth = {
        "images": [{"id": i + 1, "height": 640, "width": 640} for i in range(images)],
        "categories": [{"id": c + 1, "name": f"class {c + 1}"} for c in range(CLASSES)],
        "annotations": [
            {"id": n + 1, "image_id": i + 1, "category_id": c + 1, "bbox": b, "area": b[2] * b[3], "iscrowd": f}
            for n, (i, c, b, f) in enumerate(
                zip(image.tolist(), category.tolist(), box.round(2).tolist(), crowd.tolist(), strict=True)
            )
        ],
    }
    columns = zip(image[source].tolist(), category[source].tolist(), found.tolist(), score.tolist(), strict=True)
    results = [{"image_id": i + 1, "category_id": c + 1, "bbox": b, "score": s} for i, c, b, s in columns]
    (folder / "truth.json").write_text(json.dumps(truth))
    (folder / "results.json").write_text(json.dumps(results))
    return folder / "truth.json", folder / "results.json"


def rows_of(truth_file: Path, results_file: Path) -> MatchRows:
    truth = read_ground_truth(truth_file, "bbox")
    return match_boxes(truth, read_results(results_file, truth, "bbox"))


def by_peer(package: str, evaluation: str, truth_file: Path, results_file: Path) -> np.ndarray:
    """The 12 figures by a scorer with the official interface."""
    peer = importlib.import_module(package)
    evaluate = getattr(importlib.import_module(f"{package}.cocoeval") if package == "pycocotools" else peer, evaluation)
    coco = importlib.import_module("pycocotools.coco").COCO if package == "pycocotools" else peer.COCO
    with contextlib.redirect_stdout(io.StringIO()):
        truth = coco(str(truth_file))
        scorer = evaluate(truth, truth.loadRes(str(results_file)), "bbox")
        scorer.evaluate()
        scorer.accumulate()
        scorer.summarize()
    return np.array(scorer.stats[:12])


def seconds(call: Callable[[], object]) -> float:
    """CPU seconds, so that a busy neighbour matters less."""
    start = time.process_time()
    call()
    return time.process_time() - start


@pytest.mark.parametrize(
    ("package", "evaluation"), [("pycocotools", "COCOeval"), ("faster_coco_eval", "COCOeval_faster")]
)
def test_box_figures(benchmark, package: str, evaluation: str, tmp_path: Path) -> None:
    """The same 12 figures as the peer; how many times as fast is recorded beside the timing and printed with -s."""
    pytest.importorskip(package)
    files = write(tmp_path, SMALL if benchmark.disabled else FULL)
    values = benchmark.pedantic(lambda: average_precision(rows_of(*files))[0], rounds=3)
    theirs: list[np.ndarray] = []
    peer = seconds(lambda: theirs.append(by_peer(package, evaluation, *files)))
    ours = min(seconds(lambda: average_precision(rows_of(*files))) for _ in range(2))
    assert values == pytest.approx(theirs[0], abs=1e-12)
    benchmark.extra_info.update(
        {f"times as fast as {package}": round(peer / ours, 1), "AP": round(float(values[0]), 3)}
    )
    print(f"{package}: {benchmark.extra_info}, CPU seconds {peer:.2f} and {ours:.2f}")


def test_interval(benchmark, tmp_path: Path) -> None:
    """AP, AP50 and AP75 in 500 draws of the images, the matches given."""
    size = SMALL if benchmark.disabled else FULL
    rows = rows_of(*write(tmp_path, size))
    weights = np.random.default_rng(0).multinomial(size[0], np.full(size[0], 1 / size[0]), 500)
    draws = benchmark.pedantic(lambda: average_precision(rows, weights, INTERVAL), rounds=1)
    if not benchmark.disabled:
        once = seconds(lambda: average_precision(rows))
        benchmark.extra_info["CPU seconds"] = seconds(lambda: average_precision(rows, weights, INTERVAL))
        print(f"500 draws: {benchmark.extra_info}, all figures once: {once:.2f}")
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    value = average_precision(rows, figures=INTERVAL)[0]
    assert (low < high).all()
    assert (np.abs(draws.mean(axis=0) - value) < high - low).all()
