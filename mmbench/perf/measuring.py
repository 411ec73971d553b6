"""A latency run from its request to the stored record: preflight, details, processes until it is enough."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from mmbench.core.key import digest_of
from mmbench.core.performance import LATENCY, Machine
from mmbench.core.record import Cost, Counts, Estimate, RunRecord
from mmbench.perf import calibration, estimating, plan, preflight, processes
from mmbench.perf.key import SUITE, latency_key, latency_reference
from mmbench.perf.measured import Measured, Stopped, performance
from mmbench.perf.plan import LatencyOptions
from mmbench.perf.processes import Side
from mmbench.perf.replication import LOOKS, TARGETS, is_enough
from mmbench.perf.request import Details, Replicate, Request, Sweep
from mmbench.runner import folders
from mmbench.runner.measure import now
from mmbench.runner.provenance import provenance
from mmbench.store import StoredRun, save_rows, save_run

TITLE = "Latency, throughput, memory and energy"
Tell = Callable[[str, float], None]


def measure_latency(locator: str, options: LatencyOptions, tell: Tell) -> StoredRun:
    """Measures one model; ``tell`` hears what is done and which share (0..1) of the least work is over.

    Raises what the measuring processes raise: LoadError, UsageError.
    """
    # Empty at first, so that the first process tells what compiling takes; the others find there what it compiled.
    with TemporaryDirectory(prefix="mmbench-") as cache:
        measured = _measured(plan.request(locator, options), options, tell, Side(cache=Path(cache)))
    return store(measured, options)


def _measured(asked: Request, options: LatencyOptions, tell: Tell, side: Side) -> Measured:
    started, begin = now(), time.monotonic()
    tell("looking at the machine", 0.0)
    looked = preflight.machine(options.model.device, options.model.precision, options.threads)
    # Refused before the minutes of measuring, not after them.
    resident = calibration.process_effect(looked.hard) if options.resident else None
    tell("process 1", 0.02)
    first, details = (_resident if options.resident else _first)(asked, options, side, tell)
    # The first process found where the sweep ends; all others measure the same sizes.
    asked = asked.model_copy(update={"batches": first.sizes, "sweep": Sweep()})
    machine = looked.model_copy(update={"hard": details.facts})
    target = _target(machine)
    found, stopped = _replicates(first, lambda: _replicate(asked, options, side), options, target, begin, tell)
    seconds = time.monotonic() - begin
    return Measured(asked, machine, details, found, stopped, target, seconds, started, first.ended, resident)


def _first(asked: Request, options: LatencyOptions, side: Side, tell: Tell) -> tuple[Replicate, Details]:
    """The first replicate, and what is measured once, in a process of its own."""
    begin = time.monotonic()
    first = _replicate(asked, options, side)
    tell(f"memory, stages, operations, server ({_expected(time.monotonic() - begin, options)})", 0.18)
    again = asked.model_copy(update={"kind": "details", "batches": first.sizes})
    return first, Details.model_validate(processes.ask(again, options.threads, side))


def _resident(asked: Request, options: LatencyOptions, side: Side, tell: Tell) -> tuple[Replicate, Details]:
    """Everything in one process, which loads the model once."""
    tell("sweep, memory, stages, operations, server", 0.05)
    answer = processes.ask(asked.model_copy(update={"kind": "resident"}), options.threads, side)
    return Replicate.model_validate(answer["replicate"]), Details.model_validate(answer["details"])


def _replicate(asked: Request, options: LatencyOptions, side: Side) -> Replicate:
    return Replicate.model_validate(processes.ask(asked, options.threads, side))


def _expected(first: float, options: LatencyOptions) -> str:
    """From the seconds of the first process: what the plan could not know is how slow the model is."""
    # The details take about as long as a process; two processes are made however small the budget is.
    about = min((LOOKS[0] + 1) * first, max(options.budget_s, 3 * first))
    return f"one process takes {first:.0f} s: about {about / 60:.1f} minutes in all"


def _replicates(
    first: Replicate, more: Callable[[], Replicate], options: LatencyOptions, target: float, begin: float, tell: Tell
) -> tuple[tuple[Replicate, ...], Stopped]:
    """Processes until the target is reached, the budget is spent, or there are as many as there may be."""
    found = [first]
    while True:
        stopped = _stopped(found, options, target, time.monotonic() - begin)
        if stopped is not None:
            return tuple(found), stopped
        tell(f"process {len(found) + 1}", min(0.95, 0.2 + 0.8 * len(found) / LOOKS[0]))
        found.append(more())


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
    found = estimating.estimates(measured.replicates, details, measured.resident)
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
        peak_device_mib=max(
            (memory.allocated_mib for memory in measured.details.memory if memory.allocated_mib is not None),
            default=None,
        ),
        seconds=measured.seconds,
    )
