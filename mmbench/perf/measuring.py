"""A latency run from its request to the stored record: preflight, details, processes until it is enough."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import Literal

import numpy as np

from mmbench.core.key import digest_of
from mmbench.core.performance import LATENCY, ColdStart, Machine, Performance, Replication
from mmbench.core.record import Cost, Counts, Estimate, RunRecord
from mmbench.perf import calibration, estimating, plan, preflight, processes
from mmbench.perf.key import SUITE, latency_key, latency_reference
from mmbench.perf.plan import LatencyOptions
from mmbench.perf.protocol import VERSION
from mmbench.perf.replication import LOOKS, TARGETS, half_width, is_enough
from mmbench.perf.request import BatchResult, Details, Replicate, Request
from mmbench.runner import folders
from mmbench.runner.measure import now
from mmbench.runner.provenance import provenance
from mmbench.store import StoredRun, save_rows, save_run

TITLE = "Latency, throughput, memory and energy"
Stopped = Literal["target", "budget", "most"]
# More void blocks than this share, and the run is unfit.
MOST_INVALID = 0.10
# A call is an outlier over the median by so many standard deviations (1.4826 MAD); none is deleted.
_OUTLIER = 5.0
Tell = Callable[[str, float], None]


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


def measure_latency(locator: str, options: LatencyOptions, tell: Tell) -> StoredRun:
    """Measures one model; ``tell`` hears what is done and which share (0..1) of the least work is over.

    Raises what the measuring processes raise: LoadError, UsageError.
    """
    asked = plan.request(locator, options)
    started, begin = now(), time.monotonic()
    tell("looking at the machine", 0.0)
    looked = preflight.machine(options.model.device, options.model.precision, options.threads)
    tell("memory, stages, operations, server", 0.02)
    answer = processes.ask(asked.model_copy(update={"kind": "details"}), options.threads)
    details = Details.model_validate(answer)
    machine = looked.model_copy(update={"hard": details.facts})
    target = _target(machine)
    found, stopped = _replicates(asked, options, target, begin, tell)
    measured = Measured(asked, machine, details, found, stopped, target, time.monotonic() - begin, started)
    return store(measured, options)


def _replicates(
    asked: Request, options: LatencyOptions, target: float, begin: float, tell: Tell
) -> tuple[tuple[Replicate, ...], Stopped]:
    """Processes until the target is reached, the budget is spent, or there are as many as there may be."""
    found: list[Replicate] = []
    while True:
        least = 1 if options.resident else LOOKS[0]
        tell(f"process {len(found) + 1}", min(0.95, 0.2 + 0.8 * len(found) / least))
        found.append(Replicate.model_validate(processes.ask(asked, options.threads)))
        stopped = _stopped(found, options, target, time.monotonic() - begin)
        if stopped is not None:
            return tuple(found), stopped


def _stopped(found: Sequence[Replicate], options: LatencyOptions, target: float, spent: float) -> Stopped | None:
    if options.resident or len(found) >= max(LOOKS):
        return "most"
    series = [estimating.values(found, batch, estimating.DEVICE) for batch in estimating.batches_of(found)]
    if is_enough(series, target):
        return "target"
    each = spent / (len(found) + 1)
    return "budget" if len(found) > 1 and spent + each > options.budget_s else None


def _target(machine: Machine) -> float:
    if machine.verdict != "dedicated":
        return TARGETS["shared"]
    return TARGETS["cpu" if machine.hard.get("device") == "cpu" else "dedicated"]


def store(measured: Measured, options: LatencyOptions) -> StoredRun:
    """Writes rows and record into a folder of their own."""
    details = measured.details
    reference = latency_reference(measured)
    # First of all: it may refuse, and then nothing is written.
    resident = calibration.process_effect(details.facts) if options.resident else None
    found = estimating.estimates(measured.replicates, details, resident)
    table = estimating.rows(measured.replicates)
    key = digest_of([str(reference), measured.started.isoformat()])
    folder = folders.new(options.results, key, (SUITE, details.model.name), measured.started)
    record = RunRecord(
        id=folder.name,
        suite=str(reference),
        title=TITLE,
        task=LATENCY,
        primary=estimating.PRIMARY,
        classes=(),
        model=details.model,
        status="ok",
        counts=Counts(planned=len(table), scored=len(table), failed=0),
        estimates=tuple(found),
        rows=save_rows(folder, table),
        execution=details.execution,
        cost=_cost(measured, found),
        key=latency_key(reference, measured),
        performance=performance(measured),
        provenance=provenance(options.argv, details.execution.device, measured.started),
    )
    return save_run(folder, record)


def _cost(measured: Measured, found: Sequence[Estimate]) -> Cost:
    first = next(e for e in found if e.metric == estimating.PRIMARY)
    return Cost(
        ms_per_item=None if first.value is None else first.value / measured.details.execution.batch_size,
        peak_rss_mib=max(memory.rss_mib for memory in measured.details.memory),
        seconds=measured.seconds,
    )


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
    series = [estimating.values(found, batch, estimating.DEVICE) for batch in sizes]
    widest = max(map(half_width, series))
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
    compiles = [one.cold.compile_s for one in found if one.cold.compile_s is not None]
    return ColdStart(
        import_s=statistics.median(one.cold.import_s for one in found),
        load_s=statistics.median(one.cold.load_s for one in found),
        first_call_s=statistics.median(one.cold.first_call_s for one in found),
        compile_s=statistics.median(compiles) if compiles else None,
    )
