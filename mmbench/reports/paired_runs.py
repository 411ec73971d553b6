"""Two stored runs side by side: refused unless their comparability keys are equal, else their rows joined by sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mmbench.core.errors import NotComparable, UnknownName
from mmbench.core.metric import Metric, TaskContext, metric_named
from mmbench.core.record import RunRecord
from mmbench.metrics.pairing import PairedRows
from mmbench.store import StoredRun, load_rows


@dataclass(frozen=True, slots=True, eq=False)
class PairedRuns:
    """Base and head with the metrics that both have measured; ``unshared`` names those of one side alone."""

    base: RunRecord
    head: RunRecord
    metrics: tuple[Metric, ...]
    unshared: tuple[str, ...]
    rows: PairedRows
    context: TaskContext


def pair_runs(base: StoredRun, head: StoredRun) -> PairedRuns:
    """Loads the rows of both; raises NotComparable with the field that differs, LoadError for damaged rows."""
    one, other = base.record, head.record
    shared = [name for name in one.key.metrics if name in other.key.metrics]
    _check_keys(one, other, shared)
    metrics = tuple(_installed(name, one.key.metrics[name]) for name in shared)
    statistics = sorted({metric.statistic for metric in metrics})
    rows = PairedRows.of(load_rows(base.folder, one), load_rows(head.folder, other), statistics)
    if not len(rows):
        raise NotComparable(f"{one.id} and {other.id} hold no scored samples; measure again.")
    unshared = tuple(sorted(one.key.metrics.keys() ^ other.key.metrics.keys()))
    return PairedRuns(one, other, metrics, unshared, rows, TaskContext(one.classes, None))


def _check_keys(base: RunRecord, head: RunRecord, shared: Sequence[str]) -> None:
    differences = list(dict.fromkeys(d for name in shared for d in base.key.differences(head.key, name)))
    if not shared:
        measured = f"{', '.join(base.key.metrics)} against {', '.join(head.key.metrics)}"
        differences = [f"metrics: {measured}"]
    if base.classes != head.classes:
        differences.append(f"classes: {', '.join(base.classes)} against {', '.join(head.classes)}")
    if differences:
        raise NotComparable(
            f"{base.id} and {head.id} cannot be compared ({'; '.join(differences)}); measure both in the same way."
        )


def _installed(name: str, version: int) -> Metric:
    try:
        metric = metric_named(name)
    except UnknownName as error:
        raise NotComparable(
            f"The metric {name!r} of the runs is not installed; install the plug-in it is from."
        ) from error
    if metric.version != version:
        raise NotComparable(
            f"The runs were measured with {name}@{version}, installed is {metric.key}; measure both again."
        )
    return metric
