"""LaTeX tables for papers; they need the package booktabs."""

from __future__ import annotations

from collections.abc import Iterator

from mmbench.core.registry import report
from mmbench.reports.board import Leaderboard, View
from mmbench.reports.grid import Grid, Line
from mmbench.reports.printable import printable
from mmbench.reports.sections import parts

# Brackets and stars are wrapped because a row that begins with one would be read as an option of the line before.
_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\textquotedbl{}",
    "[": "{[}",
    "]": "{]}",
    "*": "{*}",
} | {c: f"\\{c}" for c in "&%$#_{}"}


@report("latex")
def render(board: Leaderboard, view: View) -> str:
    r"""Tables for a paper; put ``\usepackage{booktabs}`` and ``\usepackage[T1]{fontenc}`` in the preamble."""
    blocks = ["% needs \\usepackage{booktabs} and \\usepackage[T1]{fontenc}"]
    for part in parts(board, view):
        for grid in part.grids:
            caption = part.heading + (f"; {grid.caption}" if grid.caption else "")
            blocks.append("\n".join(_drawn(grid, caption)))
        blocks.append("\n".join(f"% {printable(remark)}" for remark in part.remarks))
    blocks += [f"% Kept apart: {printable(str(refusal))}" for refusal in board.refused]
    return "\n\n".join(block for block in blocks if block) + "\n"


def escape(text: str) -> str:
    """Text in which nothing is taken for a command."""
    return "".join(_SPECIAL.get(c, c) for c in printable(text))


def _drawn(grid: Grid, caption: str) -> Iterator[str]:
    yield r"\begin{table}"
    yield rf"  \caption{{{escape(caption)}}}"
    yield rf"  \begin{{tabular}}{{{''.join('r' if head.right else 'l' for head in grid.heads)}}}"
    yield r"    \toprule"
    yield f"    {' & '.join(escape(head.text) for head in grid.heads)} \\\\"
    before = None
    for line in grid.lines:
        if before is None or line.reference != before.reference:
            yield r"    \midrule"
        yield f"    {' & '.join(_cells(line))} \\\\"
        before = line
    yield r"    \bottomrule"
    yield r"  \end{tabular}"
    yield r"\end{table}"


def _cells(line: Line) -> Iterator[str]:
    for cell in line.cells:
        yield rf"\textit{{{escape(cell)}}}" if line.reference and cell else escape(cell)
