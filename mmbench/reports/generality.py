"""How general strategies are, as a grid."""

from __future__ import annotations

from collections.abc import Iterator

from mmbench.reports import numbers
from mmbench.reports.board import Span
from mmbench.reports.grid import Grid, Head, Line, Part
from mmbench.study.contrasts import LEVEL
from mmbench.study.generality import Generality


def part(found: Generality) -> Part:
    """The mean first, then every held-out table by number; what the numbers mean stands below."""
    places = (Head(f"({number})") for number in range(1, 1 + len(found.tables)))
    heads = (Head("strategy", right=False), Head(f"mean [{LEVEL:.0%}]"), *places)
    lines = tuple(
        Line(
            (
                line.name,
                numbers.spanned(Span(line.mean.value, line.mean.low, line.mean.high)),
                *(numbers.decimal(value) for value in line.parts),
            ),
            line.control,
        )
        for line in found.lines
    )
    return Part("Generality: what was not trained for", (Grid("", heads, lines, repeat=(0,)),), tuple(_remarks(found)))


def _remarks(found: Generality) -> Iterator[str]:
    yield "Each number is (score - chance)/(F* - chance); the interval is over training seeds, the tasks are given."
    yield from (f"({number}) {name}" for number, name in enumerate(found.tables, 1))
    yield from (f"{name} is left out of the mean: its bounds are not known." for name in found.left_out)
