"""From the answers of processes to estimates and rows."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import exp, isnan, log, nan

import numpy as np
from numpy.typing import NDArray

from mmbench.core.record import Estimate
from mmbench.core.table import Ragged
from mmbench.metrics.rows import Rows
from mmbench.perf.protocol import Block, process_value
from mmbench.perf.replication import Replicated, replicated
from mmbench.perf.request import Details, Replicate, Timed
from mmbench.stats.correlation import lag_one
from mmbench.stats.quantiles import block_interval, quantile

DEVICE, REQUEST, OFFLINE = "device", "request", "offline"
# The metrics of the suite in the order of reports: name -> direction.
METRICS = {
    "latency_ms": "lower",
    "request_ms": "lower",
    "request_p90_ms": "lower",
    "request_p95_ms": "lower",
    "request_p99_ms": "lower",
    "throughput": "higher",
    "peak_memory_mib": "lower",
    "energy_j": "lower",
}
PRIMARY = "latency_ms"
# Which times a metric is computed from.
QUANTITY = {"latency_ms": DEVICE, "request_ms": REQUEST, "throughput": OFFLINE}
PERCENTILES = {"request_p90_ms": 0.90, "request_p95_ms": 0.95, "request_p99_ms": 0.99}
BATCH = "batch"
# Neighbouring calls that are correlated more than this are no independent values.
CORRELATED = 0.1
# The column of the rows.
STATISTIC = "call_seconds"


def batches_of(found: Sequence[Replicate]) -> list[int]:
    """The batch sizes that every process has measured, ascending."""
    each = [{result.batch for result in one.batches} for one in found]
    return sorted(set.intersection(*each))


def timed(one: Replicate, batch: int, quantity: str) -> Timed:
    """The blocks of a process; a model without a module has requests alone, and the throughput is one block."""
    result = next(result for result in one.batches if result.batch == batch)
    if quantity == OFFLINE:
        return Timed(blocks=((1 / result.offline,),), invalid=("",))
    return result.device if quantity == DEVICE and result.device is not None else result.request


def values(found: Sequence[Replicate], batch: int, quantity: str) -> list[float]:
    """x of each process: mean log seconds."""
    return [process_value(blocks_of(timed(one, batch, quantity))) for one in found]


def rows(found: Sequence[Replicate]) -> Rows:
    """Every valid block: its calls' seconds, its process as the group, quantity and batch size as tags."""
    ids, groups, tags, calls = [], [], [], []
    for process, one in enumerate(found):
        for batch in batches_of(found):
            for quantity in (DEVICE, REQUEST, OFFLINE):
                for index, part in enumerate(blocks_of(timed(one, batch, quantity))):
                    if not part.invalid:
                        ids.append(f"{quantity}/b{batch}/p{process}/{index}")
                        groups.append(f"p{process}")
                        tags.append({"quantity": quantity, BATCH: str(batch)})
                        calls.append(part.times)
    starts = np.concatenate([[0], np.cumsum([len(times) for times in calls])]).astype(np.int64)
    table = Ragged(np.array([t for times in calls for t in times], dtype=np.float64).reshape(-1, 1), starts)
    return Rows(tuple(ids), tuple(groups), tuple(tags), {STATISTIC: table})


def process_values(table: Rows, quantity: str, batch: int) -> list[float]:
    """x of each process from stored rows, in the order of the processes' names."""
    times = table.values[STATISTIC]
    assert isinstance(times, Ragged)  # noqa: S101  as ``rows`` writes it
    found: dict[str, list[float]] = {}
    wanted = {"quantity": quantity, BATCH: str(batch)}
    for index, tags in enumerate(table.tags):
        if dict(tags) == wanted:
            calls = times.values[times.starts[index] : times.starts[index + 1], 0]
            found.setdefault(table.groups[index], []).append(float(np.median(np.log(calls))))
    return [statistics.fmean(found[name]) for name in sorted(found)]


def process_tails(table: Rows, batch: int, p: float) -> list[float]:
    """The log of the p-quantile of each process's requests from stored rows, in the order of the processes' names."""
    times = table.values[STATISTIC]
    assert isinstance(times, Ragged)  # noqa: S101  as ``rows`` writes it
    found: dict[str, list[NDArray[np.float64]]] = {}
    wanted = {"quantity": REQUEST, BATCH: str(batch)}
    for index, tags in enumerate(table.tags):
        if dict(tags) == wanted:
            calls = times.values[times.starts[index] : times.starts[index + 1], 0]
            found.setdefault(table.groups[index], []).append(calls.astype(np.float64))
    return [float(np.log(np.quantile(np.concatenate(found[name]), p))) for name in sorted(found)]


def estimates(found: Sequence[Replicate], details: Details, resident: float | None = None) -> list[Estimate]:
    """Each metric at each batch size, then without a slice: at the smallest batch, the throughput at its best one.

    ``resident`` is the relative standard deviation between processes where there was one process alone.
    """
    sizes = batches_of(found)
    each = [line for batch in sizes for line in _at(found, details, batch, resident)]
    overall = [_overall(each, name) for name in METRICS if name != "energy_j"]
    return [*(line for line in overall if line is not None), _energy(details, len(found)), *each]


def _at(found: Sequence[Replicate], details: Details, batch: int, resident: float | None) -> Iterator[Estimate]:
    unsteady = any(not result.steady for one in found for result in one.batches if result.batch == batch)
    constant = any(result.constant for one in found for result in one.batches if result.batch == batch)
    # Most of the processes: a single one may have been kept busy by something else.
    hidden = sum(result.hidden for one in found for result in one.batches if result.batch == batch) > len(found) / 2
    flags = ("unsteady-warm-up",) * unsteady + ("constant-output",) * constant + ("hidden-work",) * hidden
    for name, quantity in QUANTITY.items():
        known = [timed(one, batch, quantity) for one in found]
        calls = sum(len(times) for part in known for times in part.blocks)
        yield _replicated(name, batch, summary(values(found, batch, quantity), known, resident), calls, flags, resident)
    for name, p in PERCENTILES.items():
        yield _percentile(name, p, found, batch, flags)
    peak = next((one for one in details.memory if one.batch == batch), None)
    if peak is not None:
        held = peak.rss_mib if peak.allocated_mib is None else peak.allocated_mib
        what = "resident memory of the process" if peak.allocated_mib is None else "memory allocated by torch"
        yield _line("peak_memory_mib", batch, held, "largest of one process", f"peak {what}", 1, 1)


def summary(x: list[float], known: Sequence[Timed], resident: float | None) -> Replicated:
    """Over processes; for one resident process over its blocks, widened by what processes differ in."""
    if resident is None:
        return replicated(x)
    inside = replicated([one.log_time for part in known for one in blocks_of(part) if not one.invalid])
    half = float(np.hypot(inside.half_width, 1.96 * resident))
    value = exp(x[0])
    return Replicated(value, value * exp(-half), value * exp(half), half, 1)


def _replicated(
    name: str, batch: int, found: Replicated, calls: int, flags: tuple[str, ...], resident: float | None
) -> Estimate:
    scale = 1000.0
    ends = (found.low, found.high) if found.half_width < np.inf else (nan, nan)
    value, low, high = (scale * v for v in (found.value, *ends))
    if name == "throughput":
        value, low, high = 1 / found.value, 1 / ends[1], 1 / ends[0]
    method = "t over processes, log scale" if resident is None else "resident: t over blocks and process effect"
    estimand = f"{'items per second' if name == 'throughput' else 'typical call'} of a fresh process on this machine"
    more = () if resident is None else ("resident",)
    line = _line(name, batch, value, method, estimand, calls, found.processes, (*flags, *more))
    return line if isnan(low) else line.model_copy(update={"low": low, "high": high})


def _percentile(name: str, p: float, found: Sequence[Replicate], batch: int, flags: tuple[str, ...]) -> Estimate:
    series = [_calls(one, batch) for one in found]
    known = quantile(np.concatenate(series), p)
    line = _line(
        name, batch, None, "order statistics", f"p{100 * p:.0f} of requests on this machine", known.n, len(found), flags
    )
    if known.value is None or known.low is None or known.high is None:
        return line.model_copy(update={"reason": f"needs {known.needed} calls, has {known.n}"})
    ends, method = (known.low, known.high), line.method
    if statistics.fmean(map(lag_one, series)) > CORRELATED:
        ends, method = block_interval(series, p), "moving-block bootstrap"
    numbers = {"value": 1000 * known.value, "low": 1000 * ends[0], "high": 1000 * ends[1]}
    return line.model_copy(update=numbers | {"method": method})


def _calls(one: Replicate, batch: int) -> NDArray[np.float64]:
    """Seconds of every valid request of a process, in their order."""
    parts = [part.times for part in blocks_of(timed(one, batch, REQUEST)) if not part.invalid]
    return np.array([seconds for times in parts for seconds in times])


def _energy(details: Details, processes: int) -> Estimate:
    energy = details.energy
    line = _line("energy_j", 0, energy.joules, "counter over one window", "joules per item above idle", processes, 1)
    return line.model_copy(update={"tag": "", "slice": "", "reason": energy.reason})


def _overall(each: Sequence[Estimate], name: str) -> Estimate | None:
    known = [line for line in each if line.metric == name]
    if not known:
        return None
    best = max(known, key=lambda line: line.value or 0.0) if name == "throughput" else known[0]
    where = f"{best.estimand}, batch size {best.slice}"
    return best.model_copy(update={"tag": "", "slice": "", "estimand": where})


def _line(
    name: str,
    batch: int,
    value: float | None,
    method: str,
    estimand: str,
    n: int,
    processes: int,
    flags: tuple[str, ...] = (),
) -> Estimate:
    return Estimate(
        metric=name,
        version=1,
        direction="higher" if METRICS[name] == "higher" else "lower",
        tag=BATCH,
        slice=str(batch),
        value=value,
        method=method,
        estimand=estimand,
        n=n,
        groups=processes,
        flags=flags,
    )


def blocks_of(part: Timed) -> list[Block]:
    """The blocks of an answer."""
    return [Block(times, why) for times, why in zip(part.blocks, part.invalid, strict=True)]


def knee(throughput: Sequence[tuple[int, float]], gain: float = 0.02) -> int:
    """The batch size after which the throughput (batch, items/s) gains under ``gain`` twice in a row, else the last."""
    for index, (batch, rate) in enumerate(throughput[:-1]):
        later = [value for _, value in throughput[index : index + 3]]
        gains = [log(second / first) for first, second in pairwise(later)]
        if rate > 0 and all(g < log(1 + gain) for g in gains) and len(gains) == min(2, len(throughput) - 1 - index):
            return batch
    return throughput[-1][0]
