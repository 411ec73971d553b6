"""Records made by hand, for the tests of the reports."""

from __future__ import annotations

from typing import Any

from mmbench.core.bounds import Bounds
from mmbench.core.key import ComparabilityKey
from mmbench.core.record import Cost, Counts, Estimate, Execution, Failure, ModelRecord, RowsFile, RunRecord

CLASSES = ("background", "a", "b")
SUITE = "seg@1[regime=X,tier=ci]"


def estimate(metric: str = "miou", value: float | None = 0.5, half: float = 0.02, **fields: Any) -> Estimate:
    """An estimate with a symmetric interval."""
    ends = {} if value is None else {"low": value - half, "high": value + half}
    base = {"version": 1, "direction": "higher", "method": "bootstrap over groups, 1000 draws", "estimand": "e"}
    return Estimate(**{**base, **ends, "metric": metric, "value": value, "n": 1024, "groups": 1024, **fields})


def bounds(metric: str = "miou", **fields: Any) -> Bounds:
    """Bounds with a gap of 0.36 and no certified A*."""
    base: dict[str, Any] = {"chance": 0.1, "unimodal": {"rgb": 0.6, "depth": 0.64}, "fused": 1.0, "spec_version": 1}
    return Bounds(**{**base, "metric": metric, **fields})


def key(**fields: Any) -> ComparabilityKey:
    """The key of ``seg`` at its defaults."""
    base: dict[str, Any] = {
        "suite": "seg",
        "version": 1,
        "parameters": {"regime": "X", "tier": "ci"},
        "split": "test",
        "subset": "",
        "ids": "1111",
        "data": "2222",
        "condition": "clean",
        "inference": {"mode": "whole"},
        "metrics": {"miou": 1, "pixel_accuracy": 1, "iou": 1},
    }
    return ComparabilityKey(**{**base, **fields})


def run(name: str = "concat", value: float | None = 0.8, *, time: int = 1, **fields: Any) -> RunRecord:
    """A run with miou, pixel accuracy, one slice and per-class IoU; ``time`` orders runs."""
    model = {"locator": f"baseline:{name}", "task": "segmentation", "modalities": ("rgb", "depth")}
    model |= {"digest": f"digest of {name}", "parameters": 123_456, **fields.pop("model", {})}
    base: dict[str, Any] = {
        "id": f"20250101T00{time:04d}Z-seg-{name}-aaaaaa",
        "suite": SUITE,
        "title": "RGB and depth segmentation",
        "task": "segmentation",
        "primary": "miou",
        "classes": CLASSES,
        "model": ModelRecord(**{"name": name, **model}),
        "status": "ok",
        "counts": Counts(planned=1024, scored=1024, failed=0),
        "estimates": standard_estimates(value),
        "bounds": (bounds(),),
        "rows": RowsFile(file="rows.npz", sha256="0" * 64),
        "execution": Execution(batch_size=16, device="cpu", precision="fp32", threads=2),
        "cost": Cost(ms_per_item=0.5123, peak_rss_mib=300.5, seconds=9.0),
        "key": key(),
        "licence": "Apache-2.0",
    }
    return RunRecord(**{**base, **fields})


def standard_estimates(value: float | None) -> tuple[Estimate, ...]:
    """What a run of ``seg`` holds, around one value."""
    reason = {"reason": "no class occurs"} if value is None else {}
    return (
        estimate("miou", value, **reason),
        estimate("pixel_accuracy", 0.1 + 1 / 3),
        estimate("miou", value, 0.04, tag="regime", slice="S4", n=256, groups=256, **reason),
        *(estimate("iou", 0.1 * i, label=label, flags=("few-instances",)) for i, label in enumerate(CLASSES, 1)),
    )


def partial(name: str = "partial", **fields: Any) -> RunRecord:
    """A run in which three samples failed."""
    failures = tuple(Failure(id=f"i{n}", reason="The file x.png is missing.") for n in range(3))
    counts = Counts(planned=1024, scored=1021, failed=3)
    return run(name, status="partial", counts=counts, failures=failures, **fields)
