"""A change of code that alters a number without a new version of the metric fails here.

``golden_values.json`` holds the value of each ``metric@version`` on fixed data: made labels and scores (one class is in
no target), and the files of ``mmbench selftest``. A new metric or version adds its line (the failure prints it); the
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
from mmbench.core.prediction import ClassScores, LabelMap, Prediction
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


def values(task: str, targets: Sequence[Any], predictions: Sequence[Prediction]) -> dict[str, list[float]]:
    """Every registered metric of a task on these samples."""
    metrics = [metric_named(name) for name in registry.metric.entries() if metric_named(name).task == task]
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


def official(suite: str, folder: Path) -> dict[str, list[float]]:
    """Every metric of a suite on the result file of the self-test."""
    annotations, results = FILES[suite]
    opened = open_suite(suite, SuiteChoice(annotations=DATA / annotations))
    (run,) = score_files(opened, [DATA / results], ScoreOptions(folder, 100, False, ()), now)
    found = {e.metric: e for e in run.record.estimates if not (e.label or e.tag)}
    return {f"{name}@{e.version}": [float("nan") if e.value is None else e.value] for name, e in found.items()}


@pytest.mark.parametrize("where", ["segmentation", "classification", *FILES])
def test_a_number_changes_only_with_its_version(where: str, tmp_path: Path) -> None:
    made = {"segmentation": segmentation, "classification": classification}
    found = made[where]() if where in made else official(where, tmp_path)
    expected = {key: [np.nan if v is None else v for v in row] for key, row in GOLDEN[where].items()}
    assert expected.keys() == found.keys(), json.dumps({where: found})
    for key, row in found.items():
        np.testing.assert_allclose(row, expected[key], rtol=1e-9, atol=1e-12, err_msg=f"{key} needs a new version")


@pytest.mark.parametrize("where", ["segmentation", "classification"])
def test_the_made_data_tell_all_metrics_apart(where: str) -> None:
    """No two metrics agree on them, and none is 0 or 1, where an error could hide."""
    single = [row[0] for row in GOLDEN[where].values() if len(row) == 1]
    assert len(set(single)) == len(single)
    assert not {0.0, 1.0} & set(single)
