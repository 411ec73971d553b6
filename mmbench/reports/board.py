"""The leaderboard as data: what may be compared stands in one column, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from mmbench.core.bounds import Bounds
from mmbench.core.record import Estimate, RunRecord

BoundKind = Literal["chance", "unimodal", "additive", "fused"]


class Place(NamedTuple):
    """What an estimate is of: a column, a class (``label``) and a slice (``tag``, ``slice``); "" means all."""

    column: str
    label: str = ""
    tag: str = ""
    slice: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A value with its interval; the ends are None where there is no interval."""

    value: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class Column:
    """One metric under one comparability key (``digest``); ``primary`` is what the ranks are of."""

    metric: str
    version: int
    direction: Literal["higher", "lower"]
    digest: str
    primary: bool
    per_class: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """One estimate of one run, and its share of the attainable fusion gain.

    ``rank`` is the range (first, last), from 1, that the run's rank takes; None where it was not computed. ``phi`` is
    None where the gap F* - U* is under 0.05 or the bounds are not known, ``psi`` also where A* is not certified;
    ``regret`` is F* - value, None where the bounds are not known.
    """

    place: Place
    estimate: Estimate
    rank: tuple[int, int] | None = None
    phi: Span | None = None
    psi: Span | None = None
    regret: Span | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One run; ``superseded`` older runs of the same model were left out."""

    record: RunRecord
    superseded: int
    cells: tuple[Cell, ...]

    def cell(self, place: Place) -> Cell | None:
        """The cell at a place, None if this run did not measure it."""
        return next((cell for cell in self.cells if cell.place == place), None)


@dataclass(frozen=True, slots=True)
class BoundLine:
    """What is attainable at a place: by chance, by one modality (U*), by a sum of logits (A*), by any fusion (F*)."""

    place: Place
    kind: BoundKind
    modality: str
    value: float


def bound_kinds(bounds: Bounds) -> Iterator[tuple[BoundKind, str, float]]:
    """What is attainable as lines: kind, modality ("" for all) and value."""
    yield "chance", "", bounds.chance
    for modality, value in bounds.unimodal.items():
        yield "unimodal", modality, value
    if bounds.additive is not None:
        yield "additive", "", bounds.additive
    yield "fused", "", bounds.fused


@dataclass(frozen=True, slots=True)
class Table:
    """The runs of one suite reference, condition and inference whose comparability keys agree; best first.

    ``inference`` is "" for the plain protocol.
    """

    suite: str
    title: str
    task: str
    condition: str
    inference: str
    primary: str
    classes: tuple[str, ...]
    licence: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    bounds: tuple[BoundLine, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """Two runs of one suite that were kept apart for a metric, and the fields in which they differ."""

    metric: str
    run: str
    other: str
    differences: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.metric} of {self.run} and of {self.other} cannot be compared, they differ in "
            f"{'; '.join(self.differences)}."
        )


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """All tables, by suite reference."""

    tables: tuple[Table, ...]
    refused: tuple[Refusal, ...]


@dataclass(frozen=True, slots=True)
class View:
    """What of a leaderboard is shown: the primary metric, ``metrics`` beside it, sections for slices and classes.

    ``width`` in characters and ``colour`` concern the terminal only.
    """

    metrics: tuple[str, ...] = ()
    slices: bool = False
    per_class: bool = False
    width: int = 80
    colour: bool = False
