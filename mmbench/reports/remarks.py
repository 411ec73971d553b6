"""The sentences below a table: how to read it, and everything that a reader must not miss."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mmbench.core.key import CLEAN
from mmbench.core.record import Estimate
from mmbench.reports.board import Column, Place, Table

_FLAGS = {
    "few-groups": "few-groups: under 30 units of resampling, the interval is too narrow.",
    "few-instances": "few-instances: some class occurs in under 20 samples.",
}


def remarks(table: Table, shown: Sequence[Column], hidden: Sequence[str]) -> Iterator[str]:
    """Sentences about one table; ``hidden`` are the metrics that were measured and are not shown."""
    places = [Place(column.digest) for column in shown]
    estimates = [cell.estimate for row in table.rows for place in places if (cell := row.cell(place))]
    yield from _reading(table, estimates)
    yield from _runs(table)
    yield from _values(estimates)
    yield from table.notes
    if hidden:
        yield f"Also measured: {', '.join(dict.fromkeys(hidden))} (--metric NAME, or the CSV)."
    if table.licence:
        yield f"Licence of the data: {table.licence}."


def _reading(table: Table, estimates: Sequence[Estimate]) -> Iterator[str]:
    methods = dict.fromkeys(e.method for e in estimates if e.low is not None)
    if methods:
        yield f"Intervals: {', '.join(methods)}."
    yield "execution: device, precision, batch size (b) and threads (t)."
    if any(row.record.execution.sub_batch for row in table.rows):
        yield "b32/8: memory did not hold batches of 32, and 8 went through the model at once."
    ranked = [cell.rank for row in table.rows for cell in row.cells if cell.rank]
    if any(first != last for first, last in ranked):
        yield f"Runs whose rank ranges overlap cannot be told apart in {table.primary}."
    if any(bound.kind == "fused" for bound in table.bounds):
        yield "phi = (score - U*)/(F* - U*) is the share of the attainable fusion gain; U* is the best single modality."
    if table.condition != CLEAN:
        yield f"Inputs were changed ({table.condition}); bounds are those of clean inputs, so that there is no phi."
    if any(cell.psi for row in table.rows for cell in row.cells):
        yield "psi = (score - A*)/(F* - A*): a lower end above 0 certifies that the model uses interaction."


def _runs(table: Table) -> Iterator[str]:
    for row in table.rows:
        record = row.record
        if row.superseded:
            yield f"{record.model.name}: the newest of {row.superseded + 1} runs is shown."
        if record.counts.failed:
            first = record.failures[0].reason if record.failures else "no reason recorded"
            yield f"{record.model.name}: {record.counts.failed} of {record.counts.planned} samples failed ({first})"


def _values(estimates: Sequence[Estimate]) -> Iterator[str]:
    undefined = dict.fromkeys((e.metric, e.reason or "no reason recorded") for e in estimates if e.value is None)
    yield from (f"{metric} is undefined: {reason.rstrip('.')}." for metric, reason in undefined)
    absent = {e.classes_absent for e in estimates if e.classes_absent}
    if absent:
        yield f"{max(absent)} classes occur neither in the targets nor in a prediction and are left out of the mean."
    flags = dict.fromkeys(flag for e in estimates for flag in e.flags)
    yield from (_FLAGS[flag] for flag in flags if flag in _FLAGS)
