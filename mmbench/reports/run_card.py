"""One run in full."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmbench.core.record import Estimate, RunRecord
from mmbench.reports import latency, numbers
from mmbench.reports.board import Span
from mmbench.reports.grid import Grid, Head, Line
from mmbench.reports.shares import shares
from mmbench.reports.terminal import Block, Facts, Heading, Paragraph

_FAILURES_SHOWN = 20


def card(record: RunRecord) -> Iterator[Block]:
    """The run as blocks for a terminal: who, what, estimates, bounds, failures, where it comes from."""
    yield Heading(f"{record.id}: {record.suite}")
    yield Facts(tuple(_identity(record)))
    if record.performance is not None:
        yield from latency.blocks(record)
    yield Heading("Estimates")
    yield _estimates(record)
    if record.bounds:
        yield Heading("Bounds")
        yield _bounds(record)
    if record.failures:
        yield Heading(f"Failed samples ({len(record.failures)})")
        yield from (Paragraph(f"{f.id}: {f.reason}") for f in record.failures[:_FAILURES_SHOWN])
        if len(record.failures) > _FAILURES_SHOWN:
            yield Paragraph(f"... and {len(record.failures) - _FAILURES_SHOWN} more (--json lists them all)")
    yield Heading("Provenance")
    yield Facts(tuple(_flat(record.provenance)))


def scores(record: RunRecord) -> Iterator[Block]:
    """Overall estimates and slices, to the digits in which official scores are published; then how to see the rest."""
    lines = []
    for e in record.estimates:
        if not e.label:
            value = f"undefined: {e.reason}" if e.value is None else numbers.spanned(Span(e.value, e.low, e.high), 4)
            lines.append(Line((f"{e.metric}@{e.version}", _of(e), value, str(e.n))))
    heads = (Head("metric", right=False), Head("of", right=False), Head("value [95%]"), Head("n"))
    yield Grid("", heads, tuple(lines))


def _identity(record: RunRecord) -> Iterator[tuple[str, str]]:
    model = record.model
    yield "suite", f"{record.title} ({record.task})"
    yield "model", f"{model.name} ({model.locator})"
    yield "modalities", ", ".join(model.modalities)
    yield "weights", model.digest
    yield "parameters", numbers.parameters(record)
    yield from _flat({"preprocessing": model.preprocessing, "training": model.training})
    if model.consents:
        yield "code that was run", ", ".join(model.consents)
    yield "condition", record.condition
    yield "status", numbers.status(record)
    yield "samples", f"{numbers.samples(record)} scored"
    yield "execution", _execution(record)
    yield "cost", _cost(record)
    yield "licence of the data", record.licence or "not stated"


def _execution(record: RunRecord) -> str:
    run = record.execution
    return f"{run.device}, {run.precision}, batch size {run.batch_size}, threads {run.threads}"


def _cost(record: RunRecord) -> str:
    cost = record.cost
    device = "" if cost.peak_device_mib is None else f", {cost.peak_device_mib:.0f} MiB allocated on the device"
    peak = f"peak {cost.peak_rss_mib:.0f} MiB{device}"
    return f"{numbers.milliseconds(record)} ms/item, {peak}, {cost.seconds:.1f} s in all"


def _estimates(record: RunRecord) -> Grid:
    lines = []
    for e in record.estimates:
        value = f"undefined: {e.reason}" if e.value is None else numbers.spanned(Span(e.value, e.low, e.high))
        n = str(e.n) if e.n == e.groups else f"{e.n} in {e.groups} groups"
        lines.append(Line((f"{e.metric}@{e.version}", _of(e), value, n, ", ".join(e.flags) or numbers.NONE)))
    heads = (Head("metric", right=False), Head("of", right=False), Head("value"), Head("n"), Head("flags", right=False))
    return Grid("", heads, tuple(lines))


def _of(estimate: Estimate) -> str:
    """The class and the slice, ``all`` for the whole score."""
    named = f"{estimate.tag}={estimate.slice}" if estimate.tag else ""
    return " ".join(part for part in (estimate.label, named) if part) or "all"


def _bounds(record: RunRecord) -> Grid:
    """What is attainable, and the run's share of it."""
    lines = []
    for b in record.bounds:
        best = ", ".join(f"{modality} {numbers.decimal(value)}" for modality, value in b.unimodal.items())
        additive = numbers.NONE if b.additive is None else numbers.decimal(b.additive)
        of = f"{b.tag}={b.value}" if b.tag else "all"
        estimate = record.estimate(b.metric, tag=b.tag, value=b.value)
        phi = numbers.spanned(shares(estimate, b).phi if estimate else None, 2)
        cells = (b.metric, of, numbers.decimal(b.chance), best, additive, numbers.decimal(b.fused), phi)
        lines.append(Line(cells))
    heads = (Head("metric", right=False), Head("of", right=False), *map(Head, ("chance", "U*", "A*", "F*", "phi")))
    return Grid("", heads, tuple(lines))


def _flat(table: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    """Nested tables as dotted names."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
