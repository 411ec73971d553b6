"""Rank ranges of the runs in one column, from their per-sample statistics."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mmbench.core.errors import LoadError, UnknownName
from mmbench.core.metric import TaskContext, metric_named
from mmbench.core.record import RunRecord
from mmbench.metrics.ranking import rank_ranges
from mmbench.metrics.rows import Rows
from mmbench.reports.board import Column


def ranks(
    records: Sequence[RunRecord], column: Column, rows_of: Callable[[RunRecord], Rows]
) -> tuple[dict[str, tuple[int, int]], str]:
    """The rank range of each run by its id, and a sentence where some or all runs could not be ranked.

    Only runs that scored the same samples are ranked with one another: a run with failed samples is left out.
    """
    if len(records) < 2:
        return {record.id: (1, 1) for record in records}, ""
    try:
        metric = metric_named(column.metric)
    except UnknownName:
        return {}, f"Not ranked: the metric {column.metric!r} is not installed."
    if metric.version != column.version:
        return {}, f"Not ranked: {column.metric}@{column.version} was measured, @{metric.version} is installed."
    loaded, problems = _loaded(records, rows_of)
    alike = _same_samples(loaded)
    if len(alike) < len(records):
        why = problems[0] if problems else "they did not score the same samples."
        remark = f"{len(records) - len(alike)} of {len(records)} runs are not ranked: {why}"
    else:
        remark = ""
    if len(alike) < 2:
        return {}, remark
    context = TaskContext(records[0].classes, None)
    found = rank_ranges([loaded[run] for run in alike], metric, context)
    return dict(zip(alike, found, strict=True)), remark


def _loaded(records: Sequence[RunRecord], rows_of: Callable[[RunRecord], Rows]) -> tuple[dict[str, Rows], list[str]]:
    """The rows by run, and why some could not be read."""
    loaded, problems = {}, []
    for record in records:
        try:
            loaded[record.id] = rows_of(record)
        except LoadError as error:
            problems.append(str(error))
    return loaded, problems


def _same_samples(loaded: dict[str, Rows]) -> list[str]:
    """The largest set of runs that scored the same samples in the same groups."""
    alike: dict[frozenset[tuple[str, str]], list[str]] = {}
    for run, rows in loaded.items():
        alike.setdefault(frozenset(zip(rows.ids, rows.groups, strict=True)), []).append(run)
    return max(alike.values(), key=len, default=[])
