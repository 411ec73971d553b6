"""Counting a pair of label maps against the peers: ratios of medians in one interleaved run, no wall-clock gate."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import numpy as np
import pytest

from mmbench.core.metric import TaskContext, metric_named
from mmbench.core.prediction import LabelMap
from mmbench.metrics.confusion import Confusion
from mmbench.metrics.rows import Rows
from mmbench.metrics.scoring import estimates

IGNORE = 255
SIDE = 512


def blobs(classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """uint8 label map and prediction [512,512]: wavy cells, a fifth wrong, 3 % ignored, 8 % of the pixels change."""
    random = np.random.default_rng(seed)
    y, x = np.mgrid[:SIDE, :SIDE]
    row = ((y + 12 * np.sin(x / 22)) % SIDE).astype(int) // 32
    column = ((x + 12 * np.sin(y / 18) + 6 * np.sin(y / 6)) % SIDE).astype(int) // 32
    cells = random.integers(0, classes, (16, 16))
    wrong = np.where(random.random((16, 16)) < 0.2, (cells + 1) % classes, cells)
    cells = np.where(random.random((16, 16)) < 0.03, IGNORE, cells)
    target = cells[row, column].astype(np.uint8)
    labels = np.roll(wrong[row, column].astype(np.uint8), (2, 2), (0, 1))
    return target, labels


def plain_bincount(target: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """The confusion matrix as most evaluation code counts it."""
    valid = target != IGNORE
    keys = classes * target[valid].astype(np.int64) + labels[valid]
    return np.bincount(keys, minlength=classes**2).reshape(classes, classes)


def medians(calls: dict[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each call; the calls take turns, so that a busy neighbour meets all of them."""
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(rounds):
        for name, call in calls.items():
            start = time.perf_counter()
            call()
            times[name].append(time.perf_counter() - start)
    return {name: statistics.median(found) for name, found in times.items()}


@pytest.mark.parametrize("classes", [19, 150])
def test_confusion(benchmark, classes: int) -> None:
    """Same counts as both peers; Mpx/s and the ratios are recorded beside the timing and printed with -s."""
    torch = pytest.importorskip("torch")
    classification = pytest.importorskip("torchmetrics.classification")
    target, labels = blobs(classes, seed=classes)
    context = TaskContext(tuple(map(str, range(classes))), IGNORE)
    peer = classification.MulticlassJaccardIndex(num_classes=classes, ignore_index=IGNORE, validate_args=False)
    tensors = torch.from_numpy(labels).long(), torch.from_numpy(target).long()
    calls: dict[str, Callable[[], object]] = {
        "mmbench": lambda: Confusion().row(target, LabelMap("a", labels), context),
        "bincount": lambda: plain_bincount(target, labels, classes),
        "torchmetrics": lambda: peer.update(*tensors),
    }
    row = benchmark(calls["mmbench"])
    matrix = plain_bincount(target, labels, classes)
    assert row.tolist() == [*np.diagonal(matrix), *matrix.sum(axis=0), *matrix.sum(axis=1)]
    seconds = medians(calls, rounds=1 if benchmark.disabled else 40)
    ours = seconds.pop("mmbench")
    ratios = {f"times as fast as {name}": round(peers / ours, 2) for name, peers in seconds.items()}
    benchmark.extra_info.update(ratios, mpx_per_s=round(SIDE**2 / ours / 1e6))
    print(f"{classes} classes: {benchmark.extra_info}")
    if not benchmark.disabled:
        peer.reset()
        peer.update(*tensors)
        value = float(metric_named("miou").value(row.astype(np.float64), context))
        assert value == pytest.approx(float(peer.compute()), abs=1e-6)


def test_thousand_draws(benchmark) -> None:
    """mIoU with its interval: 1,000 draws over 2,000 images of 150 classes."""
    random = np.random.default_rng(0)
    truth = random.integers(0, 3000, (2000, 150)) * (random.random((2000, 150)) < 0.1)
    hits = (truth * random.random(truth.shape)).astype(np.int64)
    table = np.concatenate([hits, hits + random.permutation(truth - hits), truth], axis=1)
    ids = tuple(f"img{i}" for i in range(2000))
    rows = Rows(ids, ids, ({},) * 2000, {"confusion": table})
    context = TaskContext(tuple(map(str, range(150))), IGNORE)
    (estimate,) = benchmark(lambda: estimates(rows, ["miou"], context))
    assert estimate.low < estimate.value < estimate.high
