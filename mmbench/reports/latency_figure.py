"""Time and throughput against the batch size, as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmbench.core.errors import UsageError
from mmbench.core.record import Estimate, RunRecord

_PANELS = (("latency_ms", "latency of a call, ms"), ("throughput", "throughput, items/s"))
_SUFFIXES = (".png", ".svg", ".pdf")
# Without it a picture would carry the time at which it was drawn.
_METADATA: dict[str, dict[str, Any]] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}, ".png": {}}


def save_figure(records: Sequence[RunRecord], file: Path) -> None:
    """One panel for each quantity, one line per run with its intervals; raises UsageError for an unknown suffix."""
    if file.suffix not in _SUFFIXES:
        raise UsageError(f"{file} is no picture that can be drawn; expected one of: {', '.join(_SUFFIXES)}.")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 3.6), layout="constrained")
    for axes, (metric, title) in zip(figure.subplots(1, len(_PANELS)), _PANELS, strict=True):
        for record in records:
            _draw(axes, record, metric)
        axes.set(xlabel="batch size", ylabel=title, xscale="log", yscale="log")
        axes.set_xticks(sizes := sorted({int(e.slice) for r in records for e in _points(r, metric)}), map(str, sizes))
        axes.minorticks_off()
        axes.grid(visible=True, alpha=0.3)
    figure.axes[0].legend(fontsize="small")
    try:
        figure.savefig(file, dpi=150, metadata=_METADATA[file.suffix])
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror}); choose another file.") from error


def _points(record: RunRecord, metric: str) -> list[Estimate]:
    return [e for e in record.estimates if e.metric == metric and e.tag == "batch" and e.value is not None]


def _draw(axes: Any, record: RunRecord, metric: str) -> None:
    points = _points(record, metric)
    x = [int(e.slice) for e in points]
    y = [e.value or 0.0 for e in points]
    low = [(e.value or 0.0) - (e.low if e.low is not None else e.value or 0.0) for e in points]
    high = [(e.high if e.high is not None else e.value or 0.0) - (e.value or 0.0) for e in points]
    axes.errorbar(
        x, y, yerr=[low, high], marker="o", capsize=3, label=f"{record.model.name} {record.execution.precision}"
    )
