"""Markdown tables (GitHub's dialect)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from mmbench.core.registry import report
from mmbench.reports.board import Leaderboard, View
from mmbench.reports.grid import Grid, Line, Part
from mmbench.reports.printable import printable
from mmbench.reports.sections import parts

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~$!])")


@report("markdown")
def render(board: Leaderboard, view: View) -> str:
    """Tables for a README, an issue or a pull request."""
    refused = (f"> Kept apart: {escape(str(refusal))}" for refusal in board.refused)
    return "\n\n".join([*blocks(parts(board, view)), *refused]) + "\n"


def blocks(found: Iterable[Part]) -> Iterator[str]:
    """Each part as paragraphs: its heading, the grids, the remarks as a list."""
    for part in found:
        yield f"### {escape(part.heading)}"
        for grid in part.grids:
            if grid.caption:
                yield f"**{escape(grid.caption)}**"
            yield "\n".join(_drawn(grid))
        if part.remarks:
            yield "\n".join(f"- {escape(remark)}" for remark in part.remarks)


def escape(text: str) -> str:
    """Text in which nothing is taken for Markdown or HTML."""
    plain = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", plain)


def _drawn(grid: Grid) -> Iterator[str]:
    yield _joined(escape(head.text) for head in grid.heads)
    yield _joined("---:" if head.right else ":---" for head in grid.heads)
    yield from (_joined(_cells(line)) for line in grid.lines)


def _cells(line: Line) -> Iterator[str]:
    for cell in line.cells:
        yield f"*{escape(cell)}*" if line.reference and cell else escape(cell)


def _joined(cells: Iterator[str]) -> str:
    return f"| {' | '.join(cells)} |"
