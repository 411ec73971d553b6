"""1,000 bootstrap draws of 10,000 samples against recomputing each with scikit-learn: CPU times and ratios, no gate.

scikit-learn has no calibration error; it is recomputed with numpy as the code of Guo et al. does it, bin by bin.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import pytest
from scipy.special import softmax

from mmbench.metrics import calibration, classification, curves
from mmbench.stats.resampling import draw_weights

N, CLASSES, DRAWS = 10_000, 10, 1000
# As many draws are recomputed by the peer and compared; of the first ones the CPU time is taken, and scaled.
PEER_DRAWS, ROUNDS = 50, 11


@pytest.fixture(scope="module")
def data() -> tuple[np.ndarray, np.ndarray]:
    """Probabilities float64 [n,C] and targets [n], right about 6 times of 10."""
    random = np.random.default_rng(0)
    targets = random.integers(0, CLASSES, N)
    return softmax(random.normal(size=(N, CLASSES)) + 2 * np.eye(CLASSES)[targets], axis=1), targets


@pytest.fixture(scope="module")
def weights() -> np.ndarray:
    """float64 [draws,n] of bootstrap counts."""
    return np.concatenate(list(draw_weights(N, DRAWS, seed=0)))


def guo_ece(probabilities: np.ndarray, targets: np.ndarray) -> float:
    confidence, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == targets
    total = 0.0
    for lower, upper in zip(np.arange(15) / 15, np.arange(1, 16) / 15, strict=True):
        inside = (confidence > lower) & (confidence <= upper)
        if inside.any():
            total += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return total


def cpu_seconds(call: Callable[[], object]) -> float:
    start = time.process_time()
    call()
    return time.process_time() - start


Draws = Callable[[np.ndarray], np.ndarray]
Once = Callable[[np.ndarray], float]


def sides(name: str, probabilities: np.ndarray, targets: np.ndarray) -> tuple[Draws, Once]:
    """Ours: from the weights of all draws to values, rows made inside. The peer's: from the samples of one draw."""
    metrics = pytest.importorskip("sklearn.metrics")
    binary, score = targets < CLASSES // 2, probabilities[:, : CLASSES // 2].sum(axis=1)
    labels = probabilities.argmax(axis=1)
    tied = np.round(score, 2)
    found: dict[str, tuple[Draws, Once]] = {
        "AUROC": (
            lambda w: curves.auroc(curves.binary_rows(score, binary), w),
            lambda i: metrics.roc_auc_score(binary[i], score[i]),
        ),
        "AUROC, 101 values": (
            lambda w: curves.auroc(curves.binary_rows(tied, binary), w),
            lambda i: metrics.roc_auc_score(binary[i], tied[i]),
        ),
        "AUROC, 10 classes": (
            lambda w: curves.auroc(curves.one_vs_rest_rows(probabilities, targets), w),
            lambda i: metrics.roc_auc_score(targets[i], probabilities[i], multi_class="ovr"),
        ),
        "AP": (
            lambda w: curves.average_precision(curves.binary_rows(score, binary), w),
            lambda i: metrics.average_precision_score(binary[i], score[i]),
        ),
        "macro F1": (
            lambda w: classification.macro_f1(w @ classification.label_rows(labels, targets, CLASSES)),
            lambda i: metrics.f1_score(targets[i], labels[i], average="macro"),
        ),
        "macro F1 from pairs": (
            lambda w: classification.macro_f1(
                classification.label_sums(classification.label_pairs(labels, targets, CLASSES), w, CLASSES)
            ),
            lambda i: metrics.f1_score(targets[i], labels[i], average="macro"),
        ),
        "ECE": (
            lambda w: calibration.ece(w @ calibration.bin_rows(calibration.top_label(probabilities, targets))),
            lambda i: guo_ece(probabilities[i], targets[i]),
        ),
    }
    return found[name]


NAMES = ("AUROC", "AUROC, 101 values", "AUROC, 10 classes", "AP", "macro F1", "macro F1 from pairs", "ECE")


@pytest.mark.parametrize("name", NAMES)
def test_thousand_draws(benchmark, name: str, data, weights) -> None:
    """The draws recomputed by the peer have the same values; seconds and the ratio are recorded and printed with -s."""
    ours, peer = sides(name, *data)
    values = benchmark(lambda: ours(weights))
    draws = 2 if benchmark.disabled else PEER_DRAWS
    samples = [np.repeat(np.arange(N), w.astype(np.int64)) for w in weights[:draws]]
    np.testing.assert_allclose(values[:draws], [peer(drawn) for drawn in samples], rtol=1e-9)
    if not benchmark.disabled:
        # Both sides take turns, so that a busy neighbour meets both.
        rounds = [(cpu_seconds(partial(ours, weights)), cpu_seconds(partial(peer, s))) for s in samples[:ROUNDS]]
        own, one = np.median(rounds, axis=0).tolist()
        seconds = one * DRAWS
        benchmark.extra_info.update(seconds=round(own, 3), peer_seconds=round(seconds, 2), ratio=round(seconds / own))
        print(f"{name}, {DRAWS} draws of {N}: {benchmark.extra_info}")
