"""A table of the leaderboard as text cells, before a format draws them. Nothing is escaped here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Head:
    """A column's heading; numbers are aligned to the right."""

    text: str
    right: bool = True


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a grid; a ``reference`` line is a bound, not a measurement."""

    cells: tuple[str, ...]
    reference: bool = False


@dataclass(frozen=True, slots=True)
class Grid:
    """A caption, headings and lines; the columns ``repeat`` stand in every part of a grid that is split."""

    caption: str
    heads: tuple[Head, ...]
    lines: tuple[Line, ...]
    repeat: tuple[int, ...] = (0, 1)


@dataclass(frozen=True, slots=True)
class Part:
    """One table of the leaderboard: a heading, its grids and the remarks below."""

    heading: str
    grids: tuple[Grid, ...]
    remarks: tuple[str, ...]
