"""CPU seconds and memory of ten thousand draws; limits hold where benchmarks run, on one thread."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable

import numpy as np
import pytest

from mmbench.core.metric import TaskContext, metric_named
from mmbench.stats.intervals import percentile_interval
from mmbench.stats.resampling import resampled_sums

DRAWS = 10_000
CLASSES = 150


def areas() -> np.ndarray:
    """int64 [2000,450]: areas of 2,000 images of which each holds some 15 of 150 classes."""
    random = np.random.default_rng(0)
    truth = random.integers(0, 3000, (2000, CLASSES)) * (random.random((2000, CLASSES)) < 0.1)
    hits = (truth * random.random(truth.shape)).astype(np.int64)
    return np.concatenate([hits, hits + random.permutation(truth - hits), truth], axis=1)


def counts() -> np.ndarray:
    """int64 [40000,10]: n-gram matches x 4, n-grams x 4, both lengths of 40,000 captions."""
    random = np.random.default_rng(1)
    totals = random.integers(8, 16, (40_000, 1)) - np.arange(4)
    matches = random.binomial(totals, [0.7, 0.5, 0.3, 0.2])
    return np.concatenate([matches, totals, totals[:, :1], totals[:, :1] + random.integers(-1, 3, (40_000, 1))], axis=1)


def miou(sums: np.ndarray) -> np.ndarray:
    return metric_named("miou").value(sums, TaskContext(tuple(map(str, range(CLASSES))), None))


def bleu(sums: np.ndarray) -> np.ndarray:
    """Corpus BLEU-4 (Papineni et al. 2002)."""
    precision = np.exp(np.log(sums[..., :4] / sums[..., 4:8]).mean(axis=-1))
    return precision * np.exp(np.minimum(0, 1 - sums[..., 9] / sums[..., 8]))


@pytest.mark.parametrize(
    ("rows", "value", "limit"), [(areas, miou, 2.0), (counts, bleu, 6.0)], ids=["mIoU-2000x150", "BLEU-40000"]
)
def test_ten_thousand_draws(
    benchmark, rows: Callable[[], np.ndarray], value: Callable[[np.ndarray], np.ndarray], limit: float
) -> None:
    """The interval of a corpus metric within its CPU seconds, in under 128 MiB beside the rows."""
    table = rows()
    draws = 50 if benchmark.disabled else DRAWS

    def replicates() -> np.ndarray:
        return np.concatenate([value(sums) for (sums,) in resampled_sums([table], draws, 0)])

    start = time.process_time()
    found = benchmark.pedantic(replicates, rounds=1)
    seconds = time.process_time() - start
    low, high = percentile_interval(found, 0.95).bounds
    assert low < value(table.sum(axis=0).astype(np.float64)) < high
    tracemalloc.start()
    replicates() if benchmark.disabled else next(resampled_sums([table], draws, 0))
    peak = tracemalloc.get_traced_memory()[1] / 2**20
    tracemalloc.stop()
    benchmark.extra_info.update(cpu_s=round(seconds, 2), peak_mib=round(peak))
    print(f"{draws} draws: {seconds:.2f} s of CPU, {peak:.0f} MiB")
    assert peak < 128
    if not benchmark.disabled:
        assert seconds < limit
