"""Times as pytest-benchmark's JSON, out and in: what other tools of CI read and write.

Seconds per call. ``data`` are the medians of blocks, so that the statistics of a reader are over blocks; what is not in
that format (interval, fingerprint, verdict) stands in ``extra_info.mmbench``. Clocks and temperatures stay out of
``machine_info``, which pytest-benchmark compares for equality.
"""

from __future__ import annotations

import json
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmbench.core.errors import LoadError
from mmbench.core.performance import LATENCY
from mmbench.core.record import RunRecord
from mmbench.core.table import Ragged
from mmbench.metrics.rows import Rows

_VERSION = "4.0.0"
_QUANTITIES = {"device": "latency_ms", "request": "request_ms"}


@dataclass(frozen=True, slots=True)
class Times:
    """A benchmark of another tool: unpaired history, which may warn and can never let a gate pass."""

    name: str
    seconds: tuple[float, ...]
    mean: float
    stddev: float
    rounds: int


def export(runs: Sequence[tuple[RunRecord, Rows]]) -> dict[str, Any]:
    """The latency runs among ``runs`` as one file; a benchmark per quantity and batch size."""
    found = [one for record, rows in runs if record.task == LATENCY for one in _benchmarks(record, rows)]
    newest = max((record.provenance.get("time", "") for record, _ in runs), default="")
    commit = next((record.provenance.get("commit") for record, _ in runs), None)
    dirty = next((record.provenance.get("dirty") for record, _ in runs), None)
    return {
        "machine_info": _machine(),
        "commit_info": {"id": commit, "time": newest, "author_time": newest, "dirty": bool(dirty), "project": "mmbench"}
        | {"branch": "(unknown)"},
        "benchmarks": found,
        "datetime": newest,
        "version": _VERSION,
    }


def read(file: Path) -> list[Times]:
    """The benchmarks of a file of pytest-benchmark; raises LoadError when it is none."""
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
        return [_read(one) for one in content["benchmarks"]]
    except OSError as error:
        raise LoadError(f"{file} cannot be read ({error.strerror}); give a file of pytest --benchmark-json.") from error
    except (ValueError, KeyError, TypeError) as error:
        what = f"{type(error).__name__} {error}"
        raise LoadError(f"{file} is no JSON of pytest-benchmark ({what}); write one with --benchmark-json.") from error


def smaller_is_better(records: Sequence[RunRecord]) -> list[dict[str, Any]]:
    """What is no time, for github-action-benchmark's ``customSmallerIsBetter``: peak memory and energy."""
    return [
        {"name": f"{record.model.name} {record.suite} {e.metric} {e.slice}".strip(), "unit": unit, "value": e.value}
        for record in records
        for e in record.estimates
        if (unit := {"peak_memory_mib": "MiB", "energy_j": "J"}.get(e.metric)) and e.value is not None
    ]


def _benchmarks(record: RunRecord, rows: Rows) -> list[dict[str, Any]]:
    places = dict.fromkeys((tags["quantity"], tags["batch"]) for tags in rows.tags if tags["quantity"] in _QUANTITIES)
    return [_benchmark(record, rows, quantity, batch) for quantity, batch in places]


def _benchmark(record: RunRecord, rows: Rows, quantity: str, batch: str) -> dict[str, Any]:
    metric = _QUANTITIES[quantity]
    data, calls = _medians(rows, quantity, batch)
    name = f"{record.model.name}[{metric}-b{batch}]"
    estimate = record.estimate(metric, tag="batch", value=batch)
    ours = {
        "metric": metric,
        "unit": "s",
        "interval_ms": None if estimate is None else [estimate.low, estimate.high],
        "key": record.key.column(metric),
        "verdict": None if record.performance is None else record.performance.machine.verdict,
    }
    return {
        "group": f"{metric} b{batch}",
        "name": name,
        "fullname": f"{record.suite}::{name}",
        "params": {"batch": int(batch)},
        "param": f"b{batch}",
        "extra_info": {"mmbench": ours},
        "options": {
            "disable_gc": True,
            "timer": "perf_counter",
            "min_rounds": 1,
            "max_time": 0.0,
            "min_time": 0.0,
            "warmup": True,
        },
        "stats": _statistics(data) | {"data": data, "iterations": calls},
    }


def _medians(rows: Rows, quantity: str, batch: str) -> tuple[list[float], int]:
    """The median seconds of each block, and the usual number of calls in one."""
    table = rows.values["call_seconds"]
    if not isinstance(table, Ragged):
        raise LoadError("The rows of a latency run are no calls; measure again.")
    wanted = {"quantity": quantity, "batch": batch}
    chosen = [i for i, tags in enumerate(rows.tags) if dict(tags) == wanted]
    blocks = [table.values[table.starts[i] : table.starts[i + 1], 0] for i in chosen]
    return [float(np.median(block)) for block in blocks], int(statistics.median(len(block) for block in blocks))


def _statistics(data: Sequence[float]) -> dict[str, Any]:
    """As pytest-benchmark names them; quartiles by its rule, Tukey's hinges without the median."""
    ordered = sorted(data)
    half = len(ordered) // 2
    q1, q3 = (statistics.median(part) if part else ordered[0] for part in (ordered[:half], ordered[-half or None :]))
    mean = statistics.fmean(ordered)
    spread = statistics.stdev(ordered) if len(ordered) > 1 else 0.0
    far = sum(not q1 - 1.5 * (q3 - q1) <= x <= q3 + 1.5 * (q3 - q1) for x in ordered)
    wide = sum(not mean - spread <= x <= mean + spread for x in ordered)
    return {
        "min": ordered[0],
        "max": ordered[-1],
        "mean": mean,
        "stddev": spread,
        "rounds": len(ordered),
        "median": statistics.median(ordered),
        "iqr": q3 - q1,
        "q1": q1,
        "q3": q3,
        "iqr_outliers": far,
        "stddev_outliers": wide,
        "outliers": f"{wide};{far}",
        "ld15iqr": next(x for x in ordered if x >= q1 - 1.5 * (q3 - q1)),
        "hd15iqr": next((x for x in ordered if x > q3 + 1.5 * (q3 - q1)), ordered[-1]),
        "ops": 1 / mean,
        "total": sum(ordered),
    }


def _read(one: dict[str, Any]) -> Times:
    stats = one["stats"]
    data = tuple(float(x) for x in stats.get("data") or ())
    return Times(str(one["fullname"]), data, float(stats["mean"]), float(stats["stddev"]), int(stats["rounds"]))


def _machine() -> dict[str, Any]:
    """Without the host's name."""
    return {
        "node": "",
        "processor": platform.processor(),
        "machine": platform.machine(),
        "python_compiler": platform.python_compiler(),
        "python_implementation": platform.python_implementation(),
        "python_implementation_version": platform.python_version(),
        "python_version": platform.python_version(),
        "python_build": list(platform.python_build()),
        "release": platform.release(),
        "system": platform.system(),
        "cpu": {},
    }
