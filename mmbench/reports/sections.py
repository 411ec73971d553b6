"""The leaderboard as grids of text: the main one, then one per slice tag and one per per-class metric."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mmbench.core.performance import LATENCY
from mmbench.reports import numbers
from mmbench.reports.board import Column, Leaderboard, Place, Table, View
from mmbench.reports.fields import (
    Field,
    column_title,
    cost_fields,
    identity_fields,
    metric_fields,
    model_field,
    rank_field,
)
from mmbench.reports.grid import Grid, Head, Line, Part
from mmbench.reports.printable import named
from mmbench.reports.remarks import remarks


def parts(board: Leaderboard, view: View) -> list[Part]:
    """The leaderboard as a view wants it; one part per table."""
    return [_part(table, view) for table in board.tables]


def _part(table: Table, view: View) -> Part:
    columns = _score_columns(table, view)
    grids = [_main(table, columns)]
    if view.slices:
        grids += [grid for column in columns for grid in _slices(table, column)]
    grids += [_classes(table, column) for column in _class_columns(table, view)]
    hidden = [c.metric for c in table.columns if c not in columns and not c.per_class]
    return Part(
        f"{named(table.suite, table.condition, table.inference)}: {table.title}",
        tuple(grids),
        tuple(remarks(table, columns, hidden)),
    )


def _score_columns(table: Table, view: View) -> list[Column]:
    """The primary metric, then those asked for; of a latency run all."""
    found = [c for c in table.columns if not c.per_class]
    if table.task == LATENCY:
        return found
    asked = [c for name in view.metrics for c in found if c.metric == name and not c.primary]
    return [c for c in found if c.primary] + list(dict.fromkeys(asked))


def _class_columns(table: Table, view: View) -> list[Column]:
    """The per-class metrics asked for by name, else all of them with ``per_class``."""
    found = [c for c in table.columns if c.per_class]
    return [c for c in found if c.metric in view.metrics] or (found if view.per_class else [])


def _main(table: Table, columns: Sequence[Column]) -> Grid:
    primaries = [c for c in columns if c.primary]
    others = [c for c in columns if not c.primary]
    fields = [rank_field(primaries), model_field()]
    fields += [f for c in primaries for f in metric_fields(table, c, Place(c.digest))]
    fields += cost_fields()
    fields += [f for c in others for f in metric_fields(table, c, Place(c.digest))]
    fields += identity_fields([Place(c.digest) for c in columns])
    lines = [Line(tuple(f.text(row) for f in fields)) for row in table.rows]
    lines += [Line(("", name, *cells), reference=True) for name, *cells in _bound_cells(fields[2:])]
    return Grid("", tuple(f.head for f in fields), tuple(lines), repeat=(1,))


def _bound_cells(fields: Sequence[Field]) -> Iterator[tuple[str, ...]]:
    """The name of each bound and its texts under the fields."""
    for name in dict.fromkeys(name for f in fields for name in f.bounds):
        yield name, *(f.bounds.get(name, "") for f in fields)


def _slices(table: Table, column: Column) -> Iterator[Grid]:
    measured = _places(table, column)
    for tag in dict.fromkeys(place.tag for place in measured if place.tag):
        places = [place for place in measured if place.tag == tag]
        fields = {place: metric_fields(table, column, place) for place in places}
        heads = [f.head for f in max(fields.values(), key=len)]
        lines = [line for place in places for line in _slice_lines(table, place, fields[place], len(heads))]
        keys = (Head(tag, right=False), Head("model", right=False), Head("n"))
        yield Grid(f"{column_title(table, column)} by {tag}", (*keys, *heads), tuple(lines))


def _slice_lines(table: Table, place: Place, fields: Sequence[Field], width: int) -> Iterator[Line]:
    padding = [""] * (width - len(fields))
    for row in table.rows:
        if cell := row.cell(place):
            texts = [f.text(row) for f in fields]
            yield Line((place.slice, row.record.model.name, str(cell.estimate.n), *texts, *padding))
    for name, *cells in _bound_cells(fields):
        yield Line((place.slice, name, "", *cells, *padding), reference=True)


def _classes(table: Table, column: Column) -> Grid:
    lines = [
        Line((place.label, row.record.model.name, numbers.score(cell), ", ".join(cell.estimate.flags) or numbers.NONE))
        for place in _places(table, column)
        if not place.tag
        for row in table.rows
        if (cell := row.cell(place))
    ]
    title = column_title(table, column)
    heads = (Head("class", right=False), Head("model", right=False), Head(title), Head("flags", right=False))
    return Grid(f"{title} by class", heads, tuple(lines))


def _places(table: Table, column: Column) -> list[Place]:
    """Where the column was measured by some run, in the order of the records."""
    return list(dict.fromkeys(c.place for row in table.rows for c in row.cells if c.place.column == column.digest))
