"""The leaderboard as flat lines: one per suite x model x metric x class x slice, and one per bound.

Everything that was measured is there, whatever a table on screen shows. The columns and their order are public
interface: a test pins them.
"""

from __future__ import annotations

from collections.abc import Iterator

from mmbench.reports.board import BoundLine, Cell, Leaderboard, Row, Span, Table

Value = str | int | float | None

COLUMNS: dict[str, str] = {
    "suite": "suite reference, with version, parameters and subset",
    "task": "task of the suite",
    "condition": "what was done to the inputs; clean: nothing",
    "line": "model: a measurement; chance, unimodal, additive, fused: a bound (chance, U*, A*, F*)",
    "model": "name of the model; for a bound of kind unimodal the modality",
    "modalities": "modalities that the model reads, joined by +",
    "metric": "metric",
    "version": "version of the metric",
    "direction": "higher or lower is better",
    "primary": "1 for the primary metric of the suite, else 0",
    "label": "class of a per-class metric, else empty",
    "tag": "name of the slice, empty for all samples",
    "slice": "value of the slice, empty for all samples",
    "value": "estimate or bound; empty: undefined, see reason",
    "low": "lower end of the interval",
    "high": "upper end of the interval",
    "level": "confidence level of the interval",
    "method": "how the interval was computed",
    "estimand": "what is estimated",
    "n": "samples behind the estimate",
    "groups": "units of resampling behind the estimate",
    "classes_absent": "classes that are excluded because they occur nowhere",
    "flags": "warnings, joined by ;",
    "reason": "why the value is undefined",
    "rank_first": "best rank that the sampling error allows, from 1; primary metric over all samples only",
    "rank_last": "worst rank that the sampling error allows",
    "phi": "(value - U*)/(F* - U*); empty where F* - U* < 0.05 or bounds are not known",
    "phi_low": "lower end of phi",
    "phi_high": "upper end of phi",
    "psi": "(value - A*)/(F* - A*); empty where A* is not certified or F* - A* < 0.05",
    "psi_low": "lower end of psi",
    "psi_high": "upper end of psi",
    "regret": "F* - value",
    "regret_low": "lower end of the regret",
    "regret_high": "upper end of the regret",
    "parameters": "number of parameters of the model",
    "ms_per_item": "milliseconds per item, the model alone, median over batches",
    "peak_rss_mib": "peak resident memory of the process in MiB",
    "planned": "samples planned",
    "scored": "samples scored",
    "failed": "samples that failed and are not scored",
    "status": "ok, partial or failed",
    "batch_size": "samples per batch",
    "device": "device",
    "precision": "precision",
    "threads": "threads",
    "superseded": "older runs of the same model that were left out",
    "weights": "digest of the weights",
    "run": "id of the run",
    "column": "digest of the comparability key: only values with equal digests may be compared",
    "licence": "licence of the data",
    "sub_batch": "samples that memory held at once, where it did not hold a batch",
    "compiled": "1 where the model ran under torch.compile",
    "channels_last": "1 where the model ran with channels last in memory",
    "peak_device_mib": "peak of what torch had allocated on the GPU in MiB; empty without one",
    "seconds": "seconds that the run took in all",
}


def tidy(board: Leaderboard) -> Iterator[dict[str, Value]]:
    """Each line holds every key of ``COLUMNS`` in that order; None means empty."""
    for table in board.tables:
        for row in table.rows:
            for cell in row.cells:
                yield _complete(_of_table(table) | _of_cell(table, cell) | _of_row(row))
        for bound in table.bounds:
            yield _complete(_of_table(table) | _of_bound(table, bound))


def _complete(line: dict[str, Value]) -> dict[str, Value]:
    return {name: line.get(name) for name in COLUMNS}


def _of_table(table: Table) -> dict[str, Value]:
    return {"suite": table.suite, "task": table.task, "condition": table.condition, "licence": table.licence}


def _of_cell(table: Table, cell: Cell) -> dict[str, Value]:
    e = cell.estimate
    first, last = cell.rank or (None, None)
    return {
        "line": "model",
        "metric": e.metric,
        "version": e.version,
        "direction": e.direction,
        "primary": int(e.metric == table.primary),
        "label": e.label,
        "tag": e.tag,
        "slice": e.slice,
        "value": e.value,
        "low": e.low,
        "high": e.high,
        "level": e.level,
        "method": e.method,
        "estimand": e.estimand,
        "n": e.n,
        "groups": e.groups,
        "classes_absent": e.classes_absent,
        "flags": ";".join(e.flags),
        "reason": e.reason,
        "rank_first": first,
        "rank_last": last,
        "column": cell.place.column,
        **_spread("phi", cell.phi),
        **_spread("psi", cell.psi),
        **_spread("regret", cell.regret),
    }


def _spread(name: str, span: Span | None) -> dict[str, Value]:
    if span is None:
        return {}
    return {name: span.value, f"{name}_low": span.low, f"{name}_high": span.high}


def _of_row(row: Row) -> dict[str, Value]:
    record = row.record
    return {
        "model": record.model.name,
        "modalities": "+".join(record.model.modalities),
        "parameters": record.model.parameters,
        "weights": record.model.digest,
        "ms_per_item": record.cost.ms_per_item,
        "peak_rss_mib": record.cost.peak_rss_mib,
        "peak_device_mib": record.cost.peak_device_mib,
        "seconds": record.cost.seconds,
        "status": record.status,
        **record.counts.model_dump(),
        **record.execution.model_dump(),
        "compiled": int(record.execution.compiled),
        "channels_last": int(record.execution.channels_last),
        "superseded": row.superseded,
        "run": record.id,
    }


def _of_bound(table: Table, bound: BoundLine) -> dict[str, Value]:
    column = next(c for c in table.columns if c.digest == bound.place.column)
    return {
        "line": bound.kind,
        "model": bound.modality,
        "metric": column.metric,
        "version": column.version,
        "direction": column.direction,
        "primary": int(column.primary),
        "tag": bound.place.tag,
        "slice": bound.place.slice,
        "value": bound.value,
        "column": bound.place.column,
    }
