"""Runs against a first one on the same samples: changes with intervals, slices, and the samples that moved."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from math import isnan

import numpy as np

from mmbench.core.record import RunRecord
from mmbench.metrics.contributions import contributions
from mmbench.metrics.paired_rows import PairedRows
from mmbench.metrics.pairing import PairedScore, paired_scores
from mmbench.reports.csv import cell
from mmbench.reports.grid import Grid, Head, Line
from mmbench.reports.numbers import NONE, decimal, end
from mmbench.reports.paired_runs import PairedRuns
from mmbench.reports.terminal import Block, Heading, Paragraph
from mmbench.reports.training_seeds import training_seed

LEVEL = 0.95
_SHOWN_SAMPLES = 5


@dataclass(frozen=True, slots=True)
class Change:
    """One metric on the same samples of two runs; its fields are the columns of the CSV (public interface).

    ``change`` = head - base with its interval ``low``..``high``; ``p`` two-sided, of this line alone. ``changed`` of
    ``n`` samples have other rows; ``base_only`` and ``head_only`` are right on one side alone, where a sample is right
    or wrong. ``label``: class; ``tag``/``slice``: slice, "" for all samples. None is undefined. ``base_seeds`` and
    ``head_seeds`` training seeds stand behind the sides; with several, ``base_run`` and ``head_run`` name all of them.
    """

    suite: str
    base_run: str
    head_run: str
    base_model: str
    head_model: str
    metric: str
    version: int
    direction: str
    label: str
    tag: str
    slice: str
    base: float | None
    head: float | None
    change: float | None
    low: float | None
    high: float | None
    level: float
    method: str
    p: float
    n: int
    groups: int
    changed: int
    base_only: int | None
    head_only: int | None
    base_seeds: int
    head_seeds: int
    estimand: str


@dataclass(frozen=True, slots=True)
class MovedSample:
    """A sample and what the metric would change by if it alone took the rows of the head."""

    id: str
    metric: str
    contribution: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """All changes of one head, and the samples that moved the primary metric most."""

    bases: tuple[RunRecord, ...]
    heads: tuple[RunRecord, ...]
    changes: tuple[Change, ...]
    moved: tuple[MovedSample, ...]
    unshared: tuple[str, ...]

    @property
    def head(self) -> RunRecord:
        """The head's run, of seeds the first."""
        return self.heads[0]


def compare(runs: PairedRuns) -> Comparison:
    """Every shared metric over all samples, each class, and every metric that is not per class over each slice."""
    changes = [_change(runs, score) for score in paired_scores(runs.rows, runs.metrics, runs.context)]
    overall = [metric for metric in runs.metrics if not metric.per_class]
    for tag, value, part in runs.rows.slices():
        changes += [_change(runs, score, tag, value) for score in paired_scores(part, overall, runs.context)]
    return Comparison(runs.bases, runs.heads, tuple(changes), tuple(_moved(runs)), runs.unshared)


def render_csv(comparisons: Iterable[Comparison]) -> str:
    """A line per change; an empty cell means undefined or does not apply."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(Change)])
    for change in (change for comparison in comparisons for change in comparison.changes):
        writer.writerow([cell(value) for value in asdict(change).values()])
    return text.getvalue()


def blocks(comparison: Comparison, *, per_class: bool = False) -> Iterator[Block]:
    """What is shown on a terminal: all samples, the slices of the primary metric, the samples that moved it."""
    yield Heading(f"{comparison.head.suite}: {_name(comparison.heads)} against {_name(comparison.bases)}")
    yield _grid("", [c for c in comparison.changes if not c.label and not c.tag])
    slices = [c for c in comparison.changes if c.tag and c.metric == comparison.head.primary]
    if slices:
        yield _grid(f"Slices, {comparison.head.primary}", slices)
    if per_class:
        yield _grid("Classes", [c for c in comparison.changes if c.label])
    if comparison.moved:
        moved = ", ".join(f"{sample.id} ({sample.contribution:+.4f})" for sample in comparison.moved)
        yield Paragraph(f"Samples that moved {comparison.head.primary} most: {moved}.")
        yield Paragraph("In brackets: its change if that sample alone took the rows of the second run.", quiet=True)
    if comparison.unshared:
        yield Paragraph(f"Measured on one side alone: {', '.join(comparison.unshared)}.", quiet=True)
    methods = ", ".join(sorted({change.method for change in comparison.changes}))
    yield Paragraph(
        f"Change = second - first on the same samples ({methods}); p is of each line alone; changed: samples with "
        "other rows.",
        quiet=True,
    )


def as_json(comparison: Comparison) -> dict[str, object]:
    """The comparison as JSON-able data."""
    return {
        "base": _ids(comparison.bases),
        "head": _ids(comparison.heads),
        "changes": [asdict(change) for change in comparison.changes],
        "moved": [asdict(sample) for sample in comparison.moved],
        "unshared": list(comparison.unshared),
    }


def change_text(change: float | None, low: float | None, high: float | None) -> str:
    """``+0.012 [-.003, .027]``; ``-`` where it is undefined."""
    if change is None:
        return NONE
    ends = "" if low is None or high is None else f" [{end(low)}, {end(high)}]"
    return f"{'+' if round(change, 3) > 0 else ''}{decimal(change)}{ends}"


def p_text(p: float) -> str:
    """``0.034``, ``<.001``."""
    return "<.001" if p < 0.001 else decimal(p)


def _change(runs: PairedRuns, score: PairedScore, tag: str = "", value: str = "") -> Change:
    bounds = score.interval(LEVEL).bounds
    low, high = bounds or (None, None)
    base_only, head_only = score.right or (None, None)
    return Change(
        suite=runs.head.suite,
        base_run=_ids(runs.bases),
        head_run=_ids(runs.heads),
        base_model=runs.base.model.name,
        head_model=runs.head.model.name,
        metric=score.metric.id,
        version=score.metric.version,
        direction=score.metric.direction,
        label=score.label,
        tag=tag,
        slice=value,
        base=_defined(score.base.value),
        head=_defined(score.head.value),
        change=_defined(score.change.value),
        low=low,
        high=high,
        level=LEVEL,
        method=score.method.value,
        p=score.p,
        n=score.samples,
        groups=score.groups,
        changed=score.changed,
        base_only=base_only,
        head_only=head_only,
        base_seeds=len(runs.bases),
        head_seeds=len(runs.heads),
        estimand=score.estimand,
    )


def _moved(runs: PairedRuns) -> Iterator[MovedSample]:
    primary = next((metric for metric in runs.metrics if metric.id == runs.head.primary), None)
    found = None if primary is None else contributions(runs.rows, primary, runs.context)
    if primary is not None and found is not None:
        yield from largest(runs.rows, primary.id, found)


def largest(rows: PairedRows, metric: str, found: np.ndarray, count: int = _SHOWN_SAMPLES) -> Iterator[MovedSample]:
    """The samples of the largest contributions float64 [n], either way; none that contributes nothing."""
    sizes = np.nan_to_num(np.abs(found))
    for index in np.argsort(-sizes, kind="stable")[:count]:
        if sizes[index] > 0:
            yield MovedSample(rows.base.ids[index], metric, float(found[index]))


def _grid(caption: str, changes: Sequence[Change]) -> Grid:
    heads = (Head("metric", right=False), Head("first"), Head("second"), Head(f"change [{LEVEL:.0%}]"), Head("p"))
    lines = tuple(Line(_cells(change)) for change in changes)
    return Grid(caption, (*heads, Head("changed")), lines, repeat=(0,))


def _cells(change: Change) -> tuple[str, ...]:
    where = f"{change.tag}={change.slice}" if change.tag else change.label or change.metric
    return (
        where,
        NONE if change.base is None else decimal(change.base),
        NONE if change.head is None else decimal(change.head),
        change_text(change.change, change.low, change.high),
        p_text(change.p),
        f"{change.changed}/{change.n}",
    )


def _name(records: Sequence[RunRecord]) -> str:
    first = records[0]
    if len(records) == 1:
        return f"{first.model.name} ({first.id[:16]})"
    return f"{first.model.name} (training seeds {', '.join(str(training_seed(record)) for record in records)})"


def _ids(records: Sequence[RunRecord]) -> str:
    return " ".join(record.id for record in records)


def _defined(value: float) -> float | None:
    return None if isnan(value) else float(value)
