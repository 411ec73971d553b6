"""Rank ranges of the runs in one column, from their per-sample statistics."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mmbench.core.errors import UnknownName
from mmbench.core.metric import TaskContext, metric_named
from mmbench.core.record import RunRecord
from mmbench.metrics.ranking import rank_ranges
from mmbench.metrics.rows import Rows
from mmbench.reports.board import Column


def ranks(
    records: Sequence[RunRecord], column: Column, rows_of: Callable[[RunRecord], Rows | None]
) -> tuple[dict[str, tuple[int, int]], str]:
    """The rank range of each run by its id, and a sentence where some or all runs could not be ranked.

    Only runs that scored the same samples are ranked with one another: a run with failed samples is left out.
    """
    if len(records) < 2:
        return {}, ""
    try:
        metric = metric_named(column.metric)
    except UnknownName:
        return {}, f"Not ranked: the metric {column.metric!r} is not installed."
    if metric.version != column.version:
        return {}, f"Not ranked: {column.metric}@{column.version} was measured, @{metric.version} is installed."
    loaded = {record.id: rows for record in records if (rows := rows_of(record)) is not None}
    alike = _same_samples(loaded)
    remark = f"{len(records) - len(alike)} of {len(records)} runs are not ranked: their rows are missing or incomplete."
    if len(alike) < 2:
        return {}, remark
    context = TaskContext(records[0].classes, None)
    found = rank_ranges([loaded[run] for run in alike], metric, context)
    return dict(zip(alike, found, strict=True)), remark if len(alike) < len(records) else ""


def _same_samples(loaded: dict[str, Rows]) -> list[str]:
    """The runs that hold the most samples, all the same ones in the same order."""
    by_ids: dict[tuple[str, ...], list[str]] = {}
    for run, rows in loaded.items():
        by_ids.setdefault(rows.ids, []).append(run)
    best = max(by_ids, key=len, default=())
    return by_ids.get(best, [])
