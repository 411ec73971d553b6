"""Tables for the terminal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mmbench.core.registry import report
from mmbench.reports.board import Leaderboard, View
from mmbench.reports.grid import Part
from mmbench.reports.sections import parts
from mmbench.reports.terminal import Block, Heading, Paragraph, drawn


@report("table")
def render(board: Leaderboard, view: View) -> str:
    """Tables for the terminal."""
    return drawn(_blocks(board, view), view.width, view.colour)


def blocks(found: Iterable[Part]) -> Iterator[Block]:
    """Each part: its heading, the grids, the remarks."""
    for part in found:
        yield Heading(part.heading)
        yield from part.grids
        for remark in part.remarks:
            yield Paragraph(remark, quiet=True)


def _blocks(board: Leaderboard, view: View) -> Iterator[Block]:
    yield from blocks(parts(board, view))
    if board.refused:
        yield Heading("Kept apart")
    for refusal in board.refused:
        yield Paragraph(str(refusal))
