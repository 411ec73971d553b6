"""How general a strategy is: its mean over tasks that it was not trained for, each between chance and the ceiling."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mmbench.stats.intervals import student_interval
from mmbench.study.contrasts import LEVEL, Ranged
from mmbench.study.design import FEWEST_SEEDS
from mmbench.study.table import Line, StudyTable


@dataclass(frozen=True, slots=True)
class GeneralLine:
    """``parts`` are the normalised scores by held-out table, in order; ``mean`` their mean, over seeds."""

    name: str
    control: bool
    parts: tuple[float, ...]
    mean: Ranged


@dataclass(frozen=True, slots=True)
class Generality:
    """Best strategy first; ``tables`` names what was held out, ``left_out`` what has no known bounds."""

    tables: tuple[str, ...]
    lines: tuple[GeneralLine, ...]
    left_out: tuple[str, ...]


def generality(tables: Sequence[StudyTable]) -> Generality:
    """(s - chance)/(F* - chance), the mean over the tables whose bounds are known; an interval over seeds.

    Seeds are the clusters: the tasks are those chosen, not drawn. Fewer than three seeds give no interval.
    """
    known = [table for table in tables if table.bounds is not None and table.bounds.fused > table.bounds.chance]
    left_out = tuple(table.suite for table in tables if table not in known)
    names = [line.name for line in known[0].lines] if known else []
    everywhere = [name for name in names if all(_line(table, name) for table in known)]
    lines = [_general(known, name) for name in everywhere]
    lines.sort(key=lambda line: (line.control, -line.mean.value, line.name))
    return Generality(tuple(table.suite for table in known), tuple(lines), left_out)


def _general(tables: Sequence[StudyTable], name: str) -> GeneralLine:
    values = np.array([_normalised(table, name) for table in tables])
    by_seed = values.mean(axis=0)
    mean, count = float(by_seed.mean()), len(by_seed)
    found = Ranged(mean)
    if count >= FEWEST_SEEDS:
        error = float(by_seed.std(ddof=1)) / count**0.5
        found = Ranged(mean, *(student_interval(mean, error, count - 1, LEVEL).bounds or (None, None)))
    first = _line(tables[0], name)
    return GeneralLine(name, bool(first and first.control), tuple(map(float, values.mean(axis=1))), found)


def _normalised(table: StudyTable, name: str) -> list[float]:
    line, bounds = _line(table, name), table.bounds
    if line is None or bounds is None:
        raise ValueError(f"{table.suite} has no {name} with bounds")
    return [(value - bounds.chance) / (bounds.fused - bounds.chance) for value in line.by_seed]


def _line(table: StudyTable, name: str) -> Line | None:
    return next((line for line in table.lines if line.name == name), None)
