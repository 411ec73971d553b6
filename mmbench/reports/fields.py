"""The columns of a grid: how each gets its text from a run, and what the bounds are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from mmbench.reports import numbers
from mmbench.reports.board import BoundKind, Column, Place, Row, Table
from mmbench.reports.grid import Head

_BOUND_NAMES = {"chance": "chance", "unimodal": "U* {}", "additive": "A* additive", "fused": "F* fused"}


@dataclass(frozen=True, slots=True)
class Field:
    """A heading, the text of a run, and the texts of the reference lines by the bound's name."""

    head: Head
    text: Callable[[Row], str]
    bounds: Mapping[str, str] = field(default_factory=dict)


def bound_name(kind: BoundKind, modality: str) -> str:
    """``chance``, ``U* rgb``, ``A* additive``, ``F* fused``."""
    return _BOUND_NAMES[kind].format(modality)


def column_title(table: Table, column: Column) -> str:
    """The metric, with its version where the table holds several versions of it."""
    versions = {c.version for c in table.columns if c.metric == column.metric}
    return column.metric if len(versions) == 1 else f"{column.metric}@{column.version}"


def metric_fields(table: Table, column: Column, place: Place) -> list[Field]:
    """The score, then phi where bounds are known and psi where A* is certified."""
    cells = [cell for row in table.rows if (cell := row.cell(place))]
    levels = {cell.estimate.level for cell in cells if cell.estimate.low is not None}
    interval = f" [{levels.pop():.0%}]" if len(levels) == 1 else ""
    bounds = {bound_name(b.kind, b.modality): numbers.decimal(b.value) for b in table.bounds if b.place == place}
    score = Head(column_title(table, column) + interval)
    fields = [Field(score, lambda row: numbers.score(row.cell(place)), bounds)]
    if bounds:
        fields.append(Field(Head("phi" + interval), lambda row: numbers.phi(row.cell(place))))
    if any(cell.psi for cell in cells):
        fields.append(Field(Head("psi" + interval), lambda row: numbers.psi(row.cell(place))))
    return fields


def rank_field(primaries: Sequence[Column]) -> Field:
    """The rank range under the primary metric; a run has at most one version of it."""

    def text(row: Row) -> str:
        ranks = (numbers.rank(row.cell(Place(column.digest))) for column in primaries)
        return next((rank for rank in ranks if rank != numbers.NONE), numbers.NONE)

    return Field(Head("rank"), text)


def model_field() -> Field:
    """The model's name."""
    return Field(Head("model", right=False), lambda row: row.record.model.name)


def cost_fields() -> list[Field]:
    """Parameters and milliseconds per item."""
    return [
        Field(Head("params"), lambda row: numbers.parameters(row.record)),
        Field(Head("ms/item"), lambda row: numbers.milliseconds(row.record)),
    ]


def identity_fields(places: Sequence[Place]) -> list[Field]:
    """What else belongs to a row: samples, modalities, status, flags of the shown estimates, how it was executed."""

    def flags(row: Row) -> str:
        cells = (row.cell(place) for place in places)
        return ", ".join(dict.fromkeys(f for cell in cells if cell for f in cell.estimate.flags)) or numbers.NONE

    return [
        Field(Head("n"), lambda row: numbers.samples(row.record)),
        Field(Head("modalities", right=False), lambda row: "+".join(row.record.model.modalities)),
        Field(Head("status", right=False), lambda row: numbers.status(row.record)),
        Field(Head("flags", right=False), flags),
        Field(Head("execution", right=False), lambda row: numbers.execution(row.record)),
    ]
