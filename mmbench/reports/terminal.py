"""Drawing for a terminal: plain characters, so that it reads the same without colour, in a log and in a pipe.

A grid that is wider than the terminal is continued below with its first columns repeated; nothing is cut off.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from mmbench.reports.grid import Grid
from mmbench.reports.printable import printable

_RULES = box.Box("    \n    \n -- \n    \n -- \n -- \n    \n    \n", ascii=True)
# A longer name is folded into several lines.
_WIDEST_NAME = 20
_GAP = 2


@dataclass(frozen=True, slots=True)
class Heading:
    """A line that stands out."""

    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Wrapped text, ``indent`` characters from the left; ``quiet`` text matters less."""

    text: str
    indent: int = 0
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Facts:
    """Names with their values, one below the other."""

    pairs: tuple[tuple[str, str], ...]


Block = Heading | Paragraph | Facts | Grid


def drawn(blocks: Iterable[Block], width: int, colour: bool) -> str:
    """The blocks as text of at most ``width`` characters a line; with ``colour`` it holds terminal codes."""
    text = io.StringIO()
    console = Console(
        file=text,
        width=width,
        force_terminal=colour,
        color_system="standard" if colour else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    for block in blocks:
        _draw(console, block, width)
    lines = "\n".join(line.rstrip() for line in text.getvalue().split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n") + "\n"


def _draw(console: Console, block: Block, width: int) -> None:
    match block:
        case Heading(text):
            console.print()
            console.print(Text(printable(text), style="bold", overflow="fold"))
        case Paragraph(text, indent, quiet):
            shown = Text(printable(text), style="dim" if quiet else "", overflow="fold")
            console.print(Padding(shown, (0, 0, 0, indent)))
        case Facts(pairs):
            console.print(_aligned(pairs))
        case Grid():
            if block.caption:
                console.print(Text(printable(block.caption), style="bold", overflow="fold"))
            for columns in _parts(block, width):
                console.print(_table(block, columns))
                console.print()


def _aligned(pairs: Iterable[tuple[str, str]]) -> Table:
    table = Table.grid(padding=(0, _GAP, 0, 0))
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for name, value in pairs:
        table.add_row(Text(printable(name)), Text(printable(value)))
    return table


def _parts(grid: Grid, width: int) -> Iterator[list[int]]:
    """The columns, by index, in parts that fit the width; what is repeated stands first in each."""
    widths = [_width(grid, index) + _GAP for index in range(len(grid.heads))]
    part: list[int] = []
    for index in range(len(widths)):
        if set(part) - set(grid.repeat) and sum(widths[i] for i in (*part, index)) - _GAP > width:
            yield part
            part = list(grid.repeat)
        part.append(index)
    yield part


def _width(grid: Grid, index: int) -> int:
    texts = [grid.heads[index].text, *(line.cells[index] for line in grid.lines)]
    widest = max(cell_len(printable(text)) for text in texts)
    return min(widest, _WIDEST_NAME) if index in grid.repeat else widest


def _table(grid: Grid, columns: Sequence[int]) -> Table:
    table = Table(box=_RULES, show_edge=False, pad_edge=False, padding=(0, _GAP - 1, 0, 0))
    for i in columns:
        head = grid.heads[i]
        widest = _WIDEST_NAME if i in grid.repeat else None
        justify: Literal["left", "right"] = "right" if head.right else "left"
        table.add_column(Text(printable(head.text)), justify=justify, overflow="fold", max_width=widest)
    previous = False
    for line in grid.lines:
        if line.reference and not any(line.cells[i] for i in columns if i not in grid.repeat):
            continue  # a bound says nothing about the columns of this part
        if line.reference != previous and table.rows:
            table.add_section()
        cells = (Text(printable(line.cells[i])) for i in columns)
        table.add_row(*cells, style="dim italic" if line.reference else None)
        previous = line.reference
    return table
