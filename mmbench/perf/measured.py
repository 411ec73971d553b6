"""What all processes of a latency run answered, and what the record says of it beside the estimates."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Literal

import numpy as np

from mmbench.core.performance import ColdStart, Machine, Performance, Replication, SweepEnd
from mmbench.perf import estimating
from mmbench.perf.protocol import VERSION
from mmbench.perf.replication import half_width
from mmbench.perf.request import BatchResult, Details, Replicate, Request

Stopped = Literal["target", "budget", "most"]
# More void blocks than this share, and the run is unfit.
MOST_INVALID = 0.10
# A call is an outlier over the median by so many standard deviations (1.4826 MAD); none is deleted.
_OUTLIER = 5.0


@dataclass(frozen=True, slots=True)
class Measured:
    """Everything that the processes answered."""

    request: Request
    machine: Machine
    details: Details
    replicates: tuple[Replicate, ...]
    stopped: Stopped
    target: float
    seconds: float
    started: datetime
    ended: SweepEnd = ""
    resident: float | None = None


def performance(measured: Measured) -> Performance:
    """What the record says beside the estimates."""
    found, details = measured.replicates, measured.details
    sizes = estimating.batches_of(found)
    rates = [
        (batch, statistics.median(result.offline for one in found for result in one.batches if result.batch == batch))
        for batch in sizes
    ]
    return Performance(
        protocol=VERSION,
        machine=_judged(measured.machine, found),
        replication=_replication(measured, sizes),
        knee=estimating.knee(rates),
        sweep_ended=measured.ended,
        cold=_cold(found),
        stages=details.stages,
        memory=details.memory,
        operations=details.operations,
        server=details.server,
        energy=details.energy,
        host_bound={
            str(result.batch): result.host_bound for result in found[0].batches if result.host_bound is not None
        },
    )


def _judged(machine: Machine, found: Sequence[Replicate]) -> Machine:
    """The verdict of the preflight, or unfit where too many blocks are void."""
    void, total = _void(found)
    return machine.model_copy(update={"verdict": "unfit"}) if void > MOST_INVALID * total else machine


def _void(found: Sequence[Replicate]) -> tuple[int, int]:
    reasons = [why for one in found for result in one.batches for why in _reasons(result)]
    return sum(bool(why) for why in reasons), len(reasons)


def _reasons(result: BatchResult) -> list[str]:
    return [why for part in (result.device, result.request) if part is not None for why in part.invalid]


def _replication(measured: Measured, sizes: Sequence[int]) -> Replication:
    found = measured.replicates
    widest = max(_half_width(measured, batch) for batch in sizes)
    void, total = _void(found)
    return Replication(
        unit="process" if len(found) > 1 else "block",
        processes=len(found),
        half_width=None if widest == inf else widest,
        target=measured.target,
        stopped=measured.stopped,
        invalid_blocks=void,
        blocks=total,
        unsteady=sum(not result.steady for one in found for result in one.batches),
        outliers=_outliers(found, sizes),
        between=_between(found, sizes[0]),
    )


def _half_width(measured: Measured, batch: int) -> float:
    found = measured.replicates
    x = estimating.values(found, batch, estimating.DEVICE)
    if measured.resident is None:
        return half_width(x)
    known = [estimating.timed(one, batch, estimating.DEVICE) for one in found]
    return estimating.summary(x, known, measured.resident).half_width


def _outliers(found: Sequence[Replicate], sizes: Sequence[int]) -> float:
    """The share of calls that lie far over the median of their process and batch size."""
    over, total = 0, 0
    for one in found:
        for batch in sizes:
            calls = np.array([t for times in estimating.timed(one, batch, estimating.DEVICE).blocks for t in times])
            middle = np.median(calls)
            limit = middle + _OUTLIER * 1.4826 * np.median(np.abs(calls - middle))
            over, total = over + int((calls > limit).sum()), total + len(calls)
    return over / max(total, 1)


def _between(found: Sequence[Replicate], batch: int) -> float | None:
    """The share of the variance of log request times that lies between processes."""
    if len(found) < 2:
        return None
    logs = [
        np.log([t for times in estimating.timed(one, batch, estimating.REQUEST).blocks for t in times]) for one in found
    ]
    total = float(np.var(np.concatenate(logs)))
    return min(1.0, float(np.var([values.mean() for values in logs])) / total) if total else 0.0


def _cold(found: Sequence[Replicate]) -> ColdStart:
    return ColdStart(
        import_s=statistics.median(one.cold.import_s for one in found),
        load_s=statistics.median(one.cold.load_s for one in found),
        first_call_s=statistics.median(one.cold.first_call_s for one in found),
        # The others found in torch's cache what the first one compiled.
        compile_s=found[0].cold.compile_s,
    )
