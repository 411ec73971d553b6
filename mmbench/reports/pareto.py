"""Quality against cost: which models are worth their cost, because none is both better and cheaper."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mmbench.core.errors import NothingMeasured, UnknownName, UsageError
from mmbench.core.performance import LATENCY
from mmbench.core.record import RunRecord
from mmbench.reports.board import Cell, Leaderboard, Place, Row, Table
from mmbench.reports.grid import Grid, Head, Line
from mmbench.reports.latency import three
from mmbench.reports.numbers import execution, score
from mmbench.reports.terminal import Block, Heading, Paragraph

COSTS: dict[str, tuple[str, Callable[[RunRecord], float | None]]] = {
    "ms": ("ms/item", lambda record: record.cost.ms_per_item),
    "memory": ("peak MiB", lambda record: record.cost.peak_device_mib or record.cost.peak_rss_mib),
    "parameters": ("parameters", lambda record: record.model.parameters),
}
_SUFFIXES = (".png", ".svg", ".pdf")


@dataclass(frozen=True, slots=True)
class Point:
    """One run: its score, its cost, and whether no other is at least as good and as cheap, and better in one."""

    row: Row
    cell: Cell
    quality: float
    cost: float
    on_front: bool


def points(table: Table, cost: str) -> list[Point]:
    """The runs of a table that have both, the cheapest first; raises UnknownName for a cost."""
    if cost not in COSTS:
        raise UnknownName("cost", cost, COSTS)
    known = list(_known(table, COSTS[cost][1]))
    sign = 1 if _is_higher_better(table) else -1
    marks = front([(price, sign * quality) for _, _, quality, price in known])
    found = [Point(*one, on_front=mark) for one, mark in zip(known, marks, strict=True)]
    return sorted(found, key=lambda point: (point.cost, -sign * point.quality))


def front(pairs: Sequence[tuple[float, float]]) -> list[bool]:
    """For each (cost, quality), higher quality better: whether no other pair dominates it. Equal pairs both stay."""
    return [not any(_dominates(other, one) for other in pairs) for one in pairs]


def blocks(board: Leaderboard, cost: str) -> Iterator[Block]:
    """One grid per table; raises NothingMeasured where no run has both a score and this cost."""
    tables = _with_points(board, cost)
    for table, found in tables:
        yield Heading(f"{table.suite}: {table.primary} against {COSTS[cost][0]}")
        lines = [
            Line(
                (
                    "*" if p.on_front else "",
                    p.row.record.model.name,
                    score(p.cell),
                    three(p.cost),
                    execution(p.row.record),
                )
            )
            for p in found
        ]
        heads = (Head("front", right=False), Head("model", right=False), Head(table.primary), Head(COSTS[cost][0]))
        yield Grid("", (*heads, Head("execution", right=False)), tuple(lines), repeat=(1,))
    yield Paragraph(
        "*: no other run is at least as good and as cheap, and better in one. Intervals may overlap.", quiet=True
    )


def save_figure(board: Leaderboard, cost: str, file: Path) -> None:
    """Score against cost with the front as a line, one panel per table; raises UsageError for an unknown suffix."""
    if file.suffix not in _SUFFIXES:
        raise UsageError(f"{file} is no picture that can be drawn; expected one of: {', '.join(_SUFFIXES)}.")
    from matplotlib.figure import Figure

    tables = _with_points(board, cost)
    figure = Figure(figsize=(5.5 * len(tables), 4), layout="constrained")
    for axes, (table, found) in zip(figure.subplots(1, len(tables), squeeze=False)[0], tables, strict=True):
        for point in found:
            low, high = (_distance(point, end) for end in (point.cell.estimate.low, point.cell.estimate.high))
            colour = "C0" if point.on_front else "C7"
            axes.errorbar(point.cost, point.quality, yerr=[[low], [high]], marker="o", capsize=3, color=colour)
            axes.annotate(point.row.record.model.name, (point.cost, point.quality), fontsize="small")
        best = [point for point in found if point.on_front]
        axes.plot([p.cost for p in best], [p.quality for p in best], color="C0", alpha=0.5)
        axes.set(xlabel=COSTS[cost][0], ylabel=table.primary, title=table.suite, xscale="log")
        axes.grid(visible=True, alpha=0.3)
    try:
        figure.savefig(file, dpi=150)
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror}); choose another file.") from error


def _with_points(board: Leaderboard, cost: str) -> list[tuple[Table, list[Point]]]:
    found = [(table, points(table, cost)) for table in board.tables if table.task != LATENCY]
    kept = [(table, known) for table, known in found if known]
    if not kept:
        raise NothingMeasured(f"No run has both a score and a cost of the kind {cost!r}; measure one with mmbench run.")
    return kept


def _known(table: Table, price: Callable[[RunRecord], float | None]) -> Iterator[tuple[Row, Cell, float, float]]:
    for row in table.rows:
        for column in table.columns:
            cell = row.cell(Place(column.digest)) if column.primary else None
            paid = price(row.record)
            if cell is not None and cell.estimate.value is not None and paid is not None:
                yield row, cell, cell.estimate.value, float(paid)


def _is_higher_better(table: Table) -> bool:
    return next((column.direction for column in table.columns if column.primary), "higher") == "higher"


def _dominates(other: tuple[float, float], one: tuple[float, float]) -> bool:
    return other[0] <= one[0] and other[1] >= one[1] and other != one


def _distance(point: Point, end: float | None) -> float:
    return 0.0 if end is None else abs(end - point.quality)
