"""A change of code that alters a number without a new version of the metric fails here.

``golden_values.json`` holds the value of each ``metric@version`` on fixed data: made labels, scores, answers, masks and
keypoints (one class is in no target), and the files of ``mmbench selftest``; suites have golden scores of their own
(tests/runner/test_golden_suites.py). A new metric or version adds its line (the failure prints it); the
old line is then removed.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbench.core import registry
from mmbench.core.metric import TaskContext, metric_named
from mmbench.core.prediction import ClassScores, Detections, LabelMap, Prediction, Text
from mmbench.core.targets import Objects
from mmbench.metrics.scoring import tables_of
from mmbench.metrics.weighing import GroupedTable, values_of
from mmbench.runner.measure import now
from mmbench.runner.result_files import ScoreOptions, score_files
from mmbench.runner.suites import SuiteChoice, open_suite
from mmbench.selftest.scores import DATA, FILES

GOLDEN = json.loads((Path(__file__).parent / "golden_values.json").read_text())
CONTEXT = TaskContext(("a", "b", "c", "d", "e", "f", "g"), 255)
N = 30


def bits(*shape: int, purpose: int) -> np.ndarray:
    """uint64 of this shape, the same with every numpy."""
    stream = np.random.Philox(key=np.array([20, purpose], dtype=np.uint64))
    return stream.random_raw(int(np.prod(shape))).reshape(shape) >> np.uint64(32)


def values(
    task: str, targets: Sequence[Any], predictions: Sequence[Prediction], prefix: str = ""
) -> dict[str, list[float]]:
    """Every registered metric of a task on these samples; those alone whose names begin with ``prefix``."""
    names = [name for name in registry.metric.entries() if name.startswith(prefix)]
    metrics = [metric_named(name) for name in names if metric_named(name).task == task]
    tables = tables_of(targets, predictions, sorted({metric.statistic for metric in metrics}), CONTEXT)
    grouped = {name: GroupedTable.of(table, np.arange(N)) for name, table in tables.items()}
    found = values_of(grouped, metrics, CONTEXT)
    return {metric.key: np.atleast_1d(found[metric.id][0]).tolist() for metric in metrics}


def segmentation() -> dict[str, list[float]]:
    truth = (bits(N, 16, 16, purpose=1) % 6).astype(np.int64)
    wrong = bits(N, 16, 16, purpose=2) % 3 == 0
    found = np.where(wrong, (bits(N, 16, 16, purpose=3) % 7).astype(np.int64), truth)
    return values("segmentation", list(truth), [LabelMap(str(i), labels) for i, labels in enumerate(found)])


def classification() -> dict[str, list[float]]:
    truth = (bits(N, purpose=4) % 6).astype(np.int64)
    scores = (bits(N, 7, purpose=5) % 1000 + 1).astype(np.float64)
    scores[np.arange(N), truth] += 150
    scores /= scores.sum(axis=1, keepdims=True)
    predictions = [ClassScores(str(i), row.astype(np.float32)) for i, row in enumerate(scores)]
    return values("classification", truth.tolist(), predictions)


ANSWERS = ("Two", "the red", "dont", "Yes", "blue-green", "unanswerable", "red.", "2", "a cat", "no")
TRUTHS = ("2", "red", "don't", "yes", "blue green", "unanswerable", "two", "cat", "Red", "a red")


def answers() -> tuple[list[tuple[str, ...]], list[Prediction]]:
    """Ten annotators a question, whose answers differ in what the rules normalise, and one answer; some agree."""
    places = bits(N, 11, purpose=6) % 10
    places[:, 1:] = np.where(bits(N, 10, purpose=7) % 2 == 0, places[:, :1], places[:, 1:])
    places[::4, 1:] = places[::4, :1]
    targets = [tuple(TRUTHS[place] for place in row[1:]) for row in places]
    return targets, [Text(str(i), ANSWERS[row[0]]) for i, row in enumerate(places)]


def vqa() -> dict[str, list[float]]:
    targets, predictions = answers()
    found: dict[str, list[float]] = {}
    for prefix in ("vqa_", "textvqa_", "vizwiz_", "answer_"):
        found |= values("vqa", targets, predictions, prefix)
    return found


def answerability() -> dict[str, list[float]]:
    truth = (bits(N, purpose=8) % 3 > 0).astype(int)
    confidence = (bits(N, purpose=9) % 1000) / 1000 * 0.7 + 0.3 * truth
    predictions = [Text(str(i), "", float(c)) for i, c in enumerate(confidence)]
    return values("vqa", truth.tolist(), predictions, "answerability_")


def referring() -> dict[str, list[float]]:
    truth = np.zeros((N, 20, 20), np.uint8)
    truth[:, 4:16, 4:16] = 1
    shifts = bits(N, 2, purpose=10) % 4
    found = [np.roll(mask, (int(y), int(x)), (0, 1)) for mask, (y, x) in zip(truth, shifts, strict=True)]
    return values("referring-segmentation", list(truth), [LabelMap(str(i), mask) for i, mask in enumerate(found)])


def objects(sizes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes [n,3,4] left, top, width, height of these sizes in a picture, and labels [n,3]."""
    corners = (bits(N, 3, 2, purpose=11) % 100).astype(np.float64)
    return np.concatenate([corners, sizes, sizes], axis=2), (bits(N, 3, purpose=12) % 6).astype(np.int64)


def shifted(boxes: np.ndarray) -> np.ndarray:
    """Every box moved by up to a quarter of its width."""
    moved = boxes.copy()
    moved[..., 0] += boxes[..., 2] * (bits(N, 3, purpose=13) % 100) / 400
    return moved


def truth_of(labels: np.ndarray, areas: np.ndarray, **fields: Any) -> Objects:
    """Objects of which none is a crowd or ignored."""
    no = np.zeros(len(labels), np.bool_)
    return Objects(labels=labels, areas=areas, crowd=no, ignored=no, matchable=~no, **fields)


def detection() -> dict[str, list[float]]:
    """Small, medium and large boxes."""
    boxes, labels = objects((16.0 * 3 ** (bits(N, 3, 1, purpose=14) % 3)).astype(np.float64))
    scores, areas = (bits(N, 3, purpose=15) % 1000) / 1000, boxes[..., 2] * boxes[..., 3]
    given = [truth_of(labels[i], areas[i], boxes=boxes[i]) for i in range(N)]
    found = shifted(boxes)
    predictions = [
        Detections(str(i), scores=scores[i], labels=labels[i], areas=areas[i], boxes=found[i]) for i in range(N)
    ]
    return values("detection", given, predictions)


def keypoints() -> dict[str, list[float]]:
    """Persons of 17 keypoints, found a few pixels beside them."""
    boxes, labels = objects((40.0 + bits(N, 3, 1, purpose=16) % 100).astype(np.float64))
    areas, scores = boxes[..., 2] * boxes[..., 3], (bits(N, 3, purpose=17) % 1000) / 1000
    points = boxes[:, :, None, :2] + (bits(N, 3, 17, 2, purpose=18) % 40)
    seen = np.full((N, 3, 17, 1), 2.0)
    truth = np.concatenate([points, seen], axis=3)
    found = np.concatenate([points + bits(N, 3, 1, 2, purpose=19) % 15, seen], axis=3)
    one = np.zeros_like(labels)
    given = [truth_of(one[i], areas[i], boxes=boxes[i], keypoints=truth[i]) for i in range(N)]
    predictions = [
        Detections(str(i), scores=scores[i], labels=one[i], areas=areas[i], keypoints=found[i]) for i in range(N)
    ]
    return values("keypoints", given, predictions)


MADE = {
    made.__name__: made for made in (segmentation, classification, vqa, answerability, referring, detection, keypoints)
}


def official(suite: str, folder: Path) -> dict[str, list[float]]:
    """Every metric of a suite on the result file of the self-test."""
    annotations, results = FILES[suite]
    opened = open_suite(suite, SuiteChoice(annotations=DATA / annotations))
    (run,) = score_files(opened, [DATA / results], ScoreOptions(folder, 100, False, ()), now)
    found = {e.metric: e for e in run.record.estimates if not (e.label or e.tag)}
    return {f"{name}@{e.version}": [float("nan") if e.value is None else e.value] for name, e in found.items()}


@pytest.mark.parametrize("where", [*MADE, *FILES])
def test_a_number_changes_only_with_its_version(where: str, tmp_path: Path) -> None:
    found = MADE[where]() if where in MADE else official(where, tmp_path)
    expected = {key: [np.nan if v is None else v for v in row] for key, row in GOLDEN[where].items()}
    assert expected.keys() == found.keys(), json.dumps({where: found})
    for key, row in found.items():
        np.testing.assert_allclose(row, expected[key], rtol=1e-9, atol=1e-12, err_msg=f"{key} needs a new version")


def test_every_metric_has_a_golden_value() -> None:
    """A new metric adds its line; those per class of COCO's masks have the code of those of its boxes."""
    golden = {key.split("@")[0] for where in GOLDEN.values() for key in where}
    assert set(registry.metric.entries()) - golden <= {"segm_class_ap_100"}


@pytest.mark.parametrize("where", ["segmentation", "classification", "vqa", "answerability", "referring", "keypoints"])
def test_the_made_data_tell_all_metrics_apart(where: str) -> None:
    """No two metrics agree on them, and none is 0 or 1, where an error could hide."""
    single = [row[0] for row in GOLDEN[where].values() if len(row) == 1]
    assert len(set(single)) == len(single)
    assert not {0.0, 1.0} & set(single)
