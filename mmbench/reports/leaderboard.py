"""From stored runs to the leaderboard: columns by comparability key, rank ranges, shares of the fusion gain."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from mmbench.core.errors import UnknownName, UsageError
from mmbench.core.inference import protocol_of
from mmbench.core.performance import LATENCY
from mmbench.core.record import RunRecord
from mmbench.metrics.rows import Rows
from mmbench.reports.board import BoundLine, Cell, Column, Leaderboard, Place, Row, Table, bound_kinds
from mmbench.reports.comparable import families, newest, refusals, tables
from mmbench.reports.ranks import ranks
from mmbench.reports.shares import shares

RowsOf = Callable[[RunRecord], Rows]
SORTS = ("score", "model", "parameters", "ms")


def leaderboard(records: Iterable[RunRecord], rows_of: RowsOf, *, sort: str = "score") -> Leaderboard:
    """All runs as tables; ``rows_of`` gives a run's per-sample statistics or raises LoadError: it is then not ranked.

    ``sort`` is one of ``SORTS`` or a metric. Runs whose comparability keys differ are kept apart and listed in
    ``refused``. Raises UnknownName for a metric that no run has measured.
    """
    built: list[Table] = []
    refused = []
    for family in families(records):
        apart = tables(family)
        refused += refusals(apart)
        built += [_table(records, rows_of) for records in apart]
    return Leaderboard(tuple(_sorted(built, sort)), tuple(refused))


def check_metrics(board: Leaderboard, names: Iterable[str]) -> None:
    """Raises UnknownName unless some run has measured each of these metrics."""
    known = {column.metric for table in board.tables for column in table.columns}
    for name in names:
        if name not in known:
            raise UnknownName("measured metric", name, known)


def _table(records: Sequence[RunRecord], rows_of: RowsOf) -> Table:
    chosen = newest(records)
    latest = chosen[0][0]
    columns = _columns([record for record, _ in chosen])
    rows = [Row(record, older, tuple(_cells(record))) for record, older in chosen]
    # Times have no samples in common, from which ranks could be drawn anew; their intervals are in the table.
    primaries = [c for c in columns if c.primary and latest.task != LATENCY]
    rows, remarks = _ranked(rows, primaries, rows_of)
    return Table(
        suite=latest.suite,
        title=latest.title,
        task=latest.task,
        condition=latest.condition,
        inference=protocol_of(latest.key.inference),
        primary=latest.primary,
        classes=latest.classes,
        licence=latest.licence,
        columns=columns,
        rows=tuple(rows),
        bounds=tuple(b for b in _bound_lines([r for r, _ in chosen]) if b.place.column in {c.digest for c in columns}),
        notes=tuple(remarks),
    )


def _columns(records: Sequence[RunRecord]) -> tuple[Column, ...]:
    primary = records[0].primary
    found: dict[str, Column] = {}
    for record in records:
        for e in record.estimates:
            digest = record.key.column(e.metric)
            known = found.get(digest)
            per_class = bool(e.label) or (known is not None and known.per_class)
            found[digest] = Column(e.metric, e.version, e.direction, digest, e.metric == primary, per_class)
    return tuple(sorted(found.values(), key=lambda column: not column.primary))


def _cells(record: RunRecord) -> Iterator[Cell]:
    bounds = {(b.metric, b.tag, b.value): b for b in record.bounds}
    for estimate in record.estimates:
        place = Place(record.key.column(estimate.metric), estimate.label, estimate.tag, estimate.slice)
        # Bounds are of the whole score, not of one class.
        known = None if estimate.label else bounds.get((estimate.metric, estimate.tag, estimate.slice))
        found = shares(estimate, known)
        yield Cell(place, estimate, phi=found.phi, psi=found.psi, regret=found.regret)


def _ranked(rows: list[Row], primaries: Iterable[Column], rows_of: RowsOf) -> tuple[list[Row], list[str]]:
    remarks: list[str] = []
    for column in primaries:
        place = Place(column.digest)
        holders = [row.record for row in rows if (cell := row.cell(place)) and cell.estimate.value is not None]
        found, remark = ranks(holders, column, rows_of)
        remarks += [remark] if remark else []
        rows = [_with_rank(row, place, found.get(row.record.id)) for row in rows]
    return rows, remarks


def _with_rank(row: Row, place: Place, rank: tuple[int, int] | None) -> Row:
    if rank is None:
        return row
    return replace(row, cells=tuple(replace(c, rank=rank) if c.place == place else c for c in row.cells))


def _bound_lines(records: Sequence[RunRecord]) -> Iterator[BoundLine]:
    seen: set[tuple[Place, str, str]] = set()
    for record in records:
        for bounds in record.bounds:
            place = Place(record.key.column(bounds.metric), "", bounds.tag, bounds.value)
            for kind, modality, value in bound_kinds(bounds):
                if (place, kind, modality) not in seen:
                    seen.add((place, kind, modality))
                    yield BoundLine(place, kind, modality, value)


def _sorted(built: Sequence[Table], sort: str) -> list[Table]:
    known = {column.metric for table in built for column in table.columns if not column.per_class}
    if sort not in SORTS and sort not in known:
        raise UsageError(f"Cannot sort by {sort!r}; expected one of: {', '.join([*SORTS, *sorted(known)])}.")
    return [replace(table, rows=tuple(sorted(table.rows, key=lambda r: _order(table, r, sort)))) for table in built]


def _order(table: Table, row: Row, sort: str) -> tuple[bool, float, str, str]:
    """Best, smallest or first in the alphabet first; what was not measured last."""
    if sort == "model":
        value: float | None = 0.0
    elif sort == "parameters":
        value = row.record.model.parameters
    elif sort == "ms":
        value = row.record.cost.ms_per_item
    else:
        value = _badness(table, row, table.primary if sort == "score" else sort)
    return value is None, value or 0.0, row.record.model.name, row.record.id


def _badness(table: Table, row: Row, metric: str) -> float | None:
    for column in table.columns:
        cell = row.cell(Place(column.digest)) if column.metric == metric else None
        if cell is not None and cell.estimate.value is not None:
            return -cell.estimate.value if column.direction == "higher" else cell.estimate.value
    return None
