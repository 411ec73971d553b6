"""Two stored runs side by side: refused unless their comparability keys are equal, else their rows joined by sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mmbench.core.errors import NotComparable, UnknownName
from mmbench.core.metric import Metric, TaskContext, metric_named
from mmbench.core.record import RunRecord
from mmbench.metrics.paired_rows import PairedRows
from mmbench.metrics.rows import Rows
from mmbench.reports.training_seeds import check_seeds, training_seed
from mmbench.store import StoredRun, load_rows


@dataclass(frozen=True, slots=True, eq=False)
class PairedRuns:
    """The runs of base and head (one each, or one for each training seed) with the metrics that both have measured.

    ``unshared`` names the metrics of one side alone.
    """

    bases: tuple[RunRecord, ...]
    heads: tuple[RunRecord, ...]
    metrics: tuple[Metric, ...]
    unshared: tuple[str, ...]
    rows: PairedRows
    context: TaskContext

    @property
    def base(self) -> RunRecord:
        """The base's run, of seeds the first."""
        return self.bases[0]

    @property
    def head(self) -> RunRecord:
        """The head's run, of seeds the first."""
        return self.heads[0]


def pair_runs(base: StoredRun, head: StoredRun) -> PairedRuns:
    """Loads the rows of both; raises NotComparable with the field that differs, LoadError for damaged rows."""
    return pair_seeds([base], [head])


def pair_seeds(bases: Sequence[StoredRun], heads: Sequence[StoredRun]) -> PairedRuns:
    """As ``pair_runs``, of sides that are several training seeds of one model, in the order of the seeds.

    Raises NotComparable unless both sides hold one run, or both two seeds or more.
    """
    _check_numbers(bases, heads)
    bases, heads = (sorted(side, key=lambda run: training_seed(run.record) or 0) for side in (bases, heads))
    one = bases[0].record
    everywhere = [run.record for run in (*bases, *heads)]
    shared = [name for name in one.key.metrics if all(name in record.key.metrics for record in everywhere)]
    for other in everywhere[1:]:
        _check_keys(one, other, shared)
    metrics = tuple(_installed(name, one.key.metrics[name]) for name in shared)
    statistics = sorted({metric.statistic for metric in metrics})
    rows = PairedRows.of_seeds(_loaded(bases), _loaded(heads), statistics)
    if not len(rows):
        raise NotComparable(f"{one.id} and {heads[0].record.id} hold no scored samples; measure again.")
    measured = {name for record in everywhere for name in record.key.metrics}
    unshared = tuple(sorted(measured - set(shared)))
    records = tuple(run.record for run in bases), tuple(run.record for run in heads)
    return PairedRuns(*records, metrics, unshared, rows, TaskContext(one.classes, None))


def _loaded(runs: Sequence[StoredRun]) -> list[Rows]:
    return [load_rows(run.folder, run.record) for run in runs]


def _check_numbers(bases: Sequence[StoredRun], heads: Sequence[StoredRun]) -> None:
    for side in (bases, heads):
        if len(side) > 1:
            check_seeds([run.record for run in side])
    if (len(bases) > 1) != (len(heads) > 1):
        raise NotComparable(
            f"{bases[0].record.id} and {heads[0].record.id}: {len(bases)} training seed(s) on the base, "
            f"{len(heads)} on the head; the spread over seeds needs two or more on both sides, or give one run each."
        )


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
