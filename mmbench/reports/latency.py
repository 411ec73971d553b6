"""A latency run for people: times and throughput by batch size, what each stage costs, and how far to trust it."""

from __future__ import annotations

from collections.abc import Iterator

from mmbench.core.performance import Performance, Stages
from mmbench.core.record import Estimate, RunRecord
from mmbench.reports.grid import Grid, Head, Line
from mmbench.reports.numbers import NONE
from mmbench.reports.terminal import Block, Facts, Heading, Paragraph

_COLUMNS = (
    ("latency_ms", "latency ms [95%]"),
    ("request_ms", "request ms [95%]"),
    ("request_p90_ms", "p90"),
    ("request_p95_ms", "p95"),
    ("request_p99_ms", "p99"),
    ("throughput", "items/s [95%]"),
    ("peak_memory_mib", "peak MiB"),
)
_ENDED = {
    "": "",
    "gain": " (the sweep ended where two steps gained under 2%)",
    "time": " (the sweep ended where the next size would have taken too much of the budget)",
    "memory": " (the sweep ended where memory did)",
}
_WARNINGS = {
    "constant-output": "Different inputs had the same output: what was timed may be a cache.",
    "hidden-work": "Work went on beside the stream or after the calls had returned: the times do not hold all of it.",
}
_WITH_INTERVAL = {"latency_ms", "request_ms", "throughput"}


def blocks(record: RunRecord) -> Iterator[Block]:
    """The verdict first."""
    performance = record.performance
    yield Heading(f"{record.model.name} on {record.suite}")
    if performance is None:
        return
    yield Paragraph(_trust(performance))
    yield _sweep(record)
    flags = {flag for e in record.estimates for flag in e.flags}
    yield from (Paragraph(text) for flag, text in _WARNINGS.items() if flag in flags)
    yield from (_stages(stages) for stages in performance.stages)
    yield Facts(tuple(_facts(record, performance)))
    yield from (Paragraph(f"{r.severity}: {r.found}; {r.advice}.", quiet=True) for r in performance.machine.remarks)


def three(value: float | None) -> str:
    """Three significant digits; ``-`` for None."""
    if value is None:
        return NONE
    return f"{value:.0f}" if abs(value) >= 1000 else f"{value:#.3g}".rstrip(".")


def shown(estimate: Estimate | None, interval: bool) -> str:
    """A time or a rate, with its interval."""
    if estimate is None or estimate.value is None:
        return NONE
    if not interval or estimate.low is None or estimate.high is None:
        return three(estimate.value)
    return f"{three(estimate.value)} [{three(estimate.low)}, {three(estimate.high)}]"


def _trust(performance: Performance) -> str:
    r = performance.replication
    half = "unknown" if r.half_width is None else f"{r.half_width:.1%}"
    if r.unit == "process":
        how = f"{r.processes} processes, half-width {half} (aimed at {r.target:.0%}, stopped by {r.stopped})"
    else:
        how = f"One resident process (weaker), half-width {half} with what processes differ by"
    return (
        f"Machine: {performance.machine.verdict}. {how}; {r.invalid_blocks} of {r.blocks} blocks void, "
        f"{r.unsteady} unsteady warm-ups, {r.outliers:.1%} outliers kept."
    )


def _sweep(record: RunRecord) -> Grid:
    sizes = [e.slice for e in record.estimates if e.metric == record.primary and e.tag]
    lines = []
    for size in sizes:
        cells = [shown(record.estimate(name, tag="batch", value=size), name in _WITH_INTERVAL) for name, _ in _COLUMNS]
        lines.append(Line((size, *cells)))
    return Grid("", (Head("batch"), *(Head(title) for _, title in _COLUMNS)), tuple(lines), repeat=(0,))


def _stages(stages: Stages) -> Grid:
    total = sum(part.ms for part in stages.parts)
    lines = [Line((part.name, three(part.ms), f"{part.ms / total:.0%}")) for part in stages.parts]
    lines.append(Line(("sum", three(total), f"{1 + stages.error:.1%} of the whole"), reference=True))
    remark = "; they overlap, read them as shares only" if stages.overlap else ""
    caption = f"Stages of a request at batch size {stages.batch}{remark}"
    return Grid(caption, (Head("stage", right=False), Head("ms"), Head("share")), tuple(lines), repeat=(0,))


def _facts(record: RunRecord, performance: Performance) -> Iterator[tuple[str, str]]:
    cold = performance.cold
    compiled = "" if cold.compile_s is None else f", compile {cold.compile_s:.2f} s"
    yield (
        "cold",
        f"import {cold.import_s:.2f} s, load {cold.load_s:.2f} s, first call {cold.first_call_s:.2f} s{compiled}",
    )
    yield "knee", f"batch size {performance.knee}{_ENDED[performance.sweep_ended]}"
    for one in performance.operations:
        mfu = "MFU - (peak of this device is not known)" if one.mfu is None else f"MFU {one.mfu:.1%}"
        uncounted = f", not counted: {', '.join(one.uncounted)}" if one.uncounted else ""
        yield "operations", f"{one.flop / 1e9:.3g} GFLOP, at most {one.intensity:.0f} FLOP/byte, {mfu}{uncounted}"
    if performance.server is not None:
        yield "server", _server(performance)
    if performance.energy is not None:
        energy = performance.energy
        yield (
            "energy",
            f"- ({energy.reason})" if energy.joules is None else f"{energy.joules:.3g} J per item above idle",
        )
    yield "execution", f"{record.execution.device}, {record.execution.precision}, {record.execution.threads} threads"


def _server(performance: Performance) -> str:
    server = performance.server
    if server is None or server.rate is None:
        return f"- ({server.reason if server else 'not measured'})"
    limit = f"p{100 * server.percentile:.0f} under {three(server.slo_ms)} ms"
    rates = f"{server.rate:.1f} requests/s, goodput {server.goodput:.1f}/s"
    return f"{rates} with {limit} (Poisson, {server.queries} requests)"
