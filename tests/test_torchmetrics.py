"""The façade for training loops: the numbers of the suites, in one process, in two, and batch by batch."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
torchmetrics = pytest.importorskip("torchmetrics")

from mmbench.torchmetrics import ClassificationScore, MeanIoU, PixelAccuracy, VQAAccuracy  # noqa: E402

ANSWERS = [["yes"] * 7 + ["no"] * 3, ["2"] * 10, ["red"] * 2 + ["dark red"] * 8]


def maps(seed: int = 0):
    draws = torch.Generator().manual_seed(seed)
    target = torch.randint(0, 4, (6, 9, 7), generator=draws)
    target[:, 0] = 255
    return torch.randn(6, 4, 9, 7, generator=draws), target


@pytest.mark.parametrize("given", ["logits", "labels"])
def test_miou_is_that_of_torchmetrics(given: str) -> None:
    logits, target = maps()
    metric, peer = MeanIoU(4, 255), torchmetrics.classification.MulticlassJaccardIndex(4, ignore_index=255)
    for part in (slice(0, 2), slice(2, 6)):
        metric.update(logits[part] if given == "logits" else logits[part].argmax(1), target[part])
    assert float(metric.compute()) == pytest.approx(float(peer(logits, target)), abs=1e-6)


def test_texts_are_scored_by_the_official_rule() -> None:
    """Seven of ten say yes: min(7/3, 1) = 1 for those left in; 'red' has two of ten."""
    metric = VQAAccuracy()
    metric.update(["yes", "2"], ANSWERS[:2])
    metric.update(["red"], ANSWERS[2:])
    assert float(metric.compute()) == pytest.approx((1 + 1 + 0.6) / 3, abs=1e-12)


def test_a_ranking_metric() -> None:
    """AUROC needs all samples at once; scikit-learn is the independent reference."""
    reference = pytest.importorskip("sklearn.metrics")
    draws = np.random.default_rng(0)
    scores, labels = draws.random((40, 2)).astype(np.float32), draws.integers(0, 2, 40)
    metric = ClassificationScore("auroc", 2)
    metric.update(torch.from_numpy(scores), torch.from_numpy(labels))
    expected = np.mean([reference.roc_auc_score(labels == c, scores[:, c]) for c in range(2)])
    assert float(metric.compute()) == pytest.approx(expected, abs=1e-12)
    assert metric.higher_is_better
    assert not ClassificationScore("ece", 2).higher_is_better


def test_it_is_a_metric_of_torchmetrics() -> None:
    """Collections, forward, reset, pickling."""
    logits, target = maps()
    both = torchmetrics.MetricCollection([MeanIoU(4, 255), PixelAccuracy(4, 255)])
    first = both(logits[:3], target[:3])
    both.update(logits[3:], target[3:])
    again = pickle.loads(pickle.dumps(both))  # noqa: S301  our own
    assert again.compute() == both.compute()
    both.reset()
    assert both(logits[:3], target[:3]) == first


def test_a_metric_per_class_has_no_single_value() -> None:
    with pytest.raises(ValueError, match="has a value per class"):
        ClassificationScore("class_f1", 3)


PROCESS = """
import json, sys, torch, torch.distributed as dist
from mmbench.torchmetrics import MeanIoU, VQAAccuracy
rank, store = int(sys.argv[1]), sys.argv[2]
dist.init_process_group("gloo", init_method=f"file://{store}", rank=rank, world_size=2)
torch.manual_seed(0)
logits, target = torch.randn(6, 4, 9, 7), torch.randint(0, 4, (6, 9, 7))
part = slice(0, 2) if rank == 0 else slice(2, 6)
miou, vqa = MeanIoU(4), VQAAccuracy()
miou.update(logits[part], target[part])
answers = [["yes"] * 7 + ["no"] * 3, ["2"] * 10, ["red"] * 2 + ["dark red"] * 8]
vqa.update(["yes", "2"] if rank == 0 else ["red"], answers[:2] if rank == 0 else answers[2:])
print(json.dumps([float(miou.compute()), float(vqa.compute())]))
"""


def test_two_processes_have_the_value_of_one(tmp_path: Path) -> None:
    """Unequal shares of the samples; both processes see the value over all."""
    command = [sys.executable, "-W", "ignore", "-c", PROCESS]
    pair = [
        subprocess.Popen([*command, str(rank), str(tmp_path / "store")], stdout=subprocess.PIPE, text=True)
        for rank in range(2)
    ]
    found = [json.loads(process.communicate(timeout=120)[0].splitlines()[-1]) for process in pair]
    torch.manual_seed(0)
    metric = MeanIoU(4)
    metric.update(torch.randn(6, 4, 9, 7), torch.randint(0, 4, (6, 9, 7)))
    assert found[0] == found[1] == pytest.approx([float(metric.compute()), (1 + 1 + 0.6) / 3], abs=1e-12)
