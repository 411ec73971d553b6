"""What mmbench costs beside the work itself: time against a bare loop, memory against the number of samples."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mmbench import content
from mmbench.core.model import ModelOptions
from mmbench.core.sample import Batch
from mmbench.runner.loading import load_batches
from mmbench.runner.measure import Prepared, RunOptions, measure, prepare
from mmbench.runner.suites import SuiteChoice, open_suite

ROUNDS = 5
CLASSES = 5
LEVELS = """
import numpy as np

class Levels:
    modalities = ("rgb", "depth")

    def predict(self, batch):
        return {i: np.asarray(rgb)[..., 0] % 5 for i, rgb in zip(batch.ids, batch.inputs["rgb"])}

def make():
    return Levels()
"""


def bare_loop(prepared: Prepared) -> float:
    """The loop that one would write by hand: the same loader, the same module, a confusion matrix in numpy."""
    import torch

    from mmbench.models.assembled import load_model

    module, _ = load_model(content.folder("baselines") / "seg" / "concat" / "weights.safetensors")
    matrix = np.zeros((CLASSES, CLASSES), np.int64)
    with torch.inference_mode():
        for batch in load_batches(prepared.suite.source, enumerate(prepared.plan.batches), 0):
            samples = [loaded.sample for loaded in batch.loaded]
            inputs = Batch.of(samples, ("rgb", "depth")).inputs
            rgb = torch.from_numpy(np.stack(inputs["rgb"])).permute(0, 3, 1, 2).float() / 255
            depth = torch.from_numpy(np.stack(inputs["depth"]))[:, None]
            labels = module(rgb=rgb, depth=depth).argmax(1).numpy()
            keys = CLASSES * np.stack([sample.target for sample in samples]).astype(np.int64) + labels
            matrix += np.bincount(keys.ravel(), minlength=CLASSES**2).reshape(CLASSES, CLASSES)
    hits = np.diagonal(matrix)
    return float(np.mean(hits / (matrix.sum(0) + matrix.sum(1) - hits)))


def timed(call: Callable[[], float]) -> tuple[float, float]:
    start = time.perf_counter()
    value = call()
    return time.perf_counter() - start, value


def test_overhead_against_a_bare_loop(benchmark, tmp_path: Path) -> None:
    """From the first batch to the saved record at most 1.10 times a bare loop; medians of five, interleaved.

    The bounds of the suite are known before the first batch. The numbers of both sides are the same.
    """
    pytest.importorskip("torch")
    options = RunOptions(results=tmp_path, model=ModelOptions(threads=1), batch_size=32, fresh=True)
    tier = "smoke" if benchmark.disabled else "ci"
    suite = open_suite(f"seg[tier={tier}]", SuiteChoice())
    prepared = prepare(suite, "baseline:concat", options)
    suite.bounds(prepared.plan.ids)

    def ours() -> float:
        return measure(prepared, options, lambda _: None).record.estimate("miou").value

    if benchmark.disabled:
        assert benchmark(ours) == pytest.approx(bare_loop(prepared), abs=1e-12)
        return
    rounds = [(timed(ours), timed(lambda: bare_loop(prepared))) for _ in range(ROUNDS + 1)][1:]
    assert all(ours_ == pytest.approx(other, abs=1e-12) for (_, ours_), (_, other) in rounds)
    mine, bare = (statistics.median(round_[side][0] for round_ in rounds) for side in (0, 1))
    ratio = mine / bare
    benchmark.extra_info["times a bare loop"] = round(ratio, 3)
    print(f"{len(prepared.plan.ids)} samples: {ratio:.3f} times a bare loop, rounds {rounds}")
    benchmark.pedantic(ours, rounds=1)
    assert ratio <= 1.10


def peak_rss(folder: Path, limit: int, tier: str) -> float:
    command = [sys.executable, "-m", "mmbench.cli.main", "run", "--suite", "seg", "--set", f"tier={tier}"]
    command += ["--model", f"python:{folder / 'levels.py'}:make", "--limit", str(limit), "-o", str(folder / str(limit))]
    subprocess.run(command, check=True, capture_output=True)
    (record,) = (folder / str(limit)).glob("*/record.json")
    return float(json.loads(record.read_text())["cost"]["peak_rss_mib"])


def test_memory_does_not_grow_with_the_samples(benchmark, tmp_path: Path) -> None:
    """Peak RSS of a whole command at 10,000 samples is under 1.1 times that at 1,000."""
    (tmp_path / "levels.py").write_text(LEVELS)
    few, many, tier = (50, 200, "smoke") if benchmark.disabled else (1_000, 10_000, "full")
    small = peak_rss(tmp_path, few, tier)
    large = benchmark.pedantic(lambda: peak_rss(tmp_path, many, tier), rounds=1)
    benchmark.extra_info["times the memory"] = round(large / small, 3)
    print(f"{few} samples: {small:.0f} MiB; {many}: {large:.0f} MiB; ratio {large / small:.3f}")
    assert large < 1.1 * small
