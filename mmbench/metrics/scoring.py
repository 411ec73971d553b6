"""From targets and predictions to rows, and from rows to estimates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from mmbench.core import registry
from mmbench.core.errors import NothingMeasured
from mmbench.core.metric import (
    Floats,
    Ints,
    Metric,
    RowStatistic,
    SetStatistic,
    Statistic,
    TaskContext,
    metric_named,
)
from mmbench.core.parts import own_name, part_of
from mmbench.core.prediction import Prediction
from mmbench.core.record import Estimate
from mmbench.core.table import Table
from mmbench.metrics.parts import statistic_of_part
from mmbench.metrics.rows import Rows
from mmbench.metrics.score_intervals import Bootstrap, NamedInterval, Score, score_intervals
from mmbench.metrics.weighing import GroupedTable, values_of

# Below these the flags few-groups and few-instances are raised.
FEW_GROUPS = 30
FEW_INSTANCES = 20


def needed_statistics(metrics: Iterable[str]) -> tuple[str, ...]:
    """The distinct statistics that these metrics read, sorted; raises UnknownName."""
    return tuple(sorted({metric_named(name).statistic for name in metrics}))


def row_statistics(statistics: Iterable[str]) -> tuple[str, ...]:
    """Those that are counted inside the loop, in the order given; raises UnknownName."""
    return tuple(name for name in statistics if isinstance(statistic_named(name), RowStatistic))


def statistic_widths(statistics: Iterable[str], context: TaskContext) -> dict[str, int]:
    """k of each row statistic, in the order given; raises UnknownName."""
    return {name: _row_statistic(name).width(context) for name in statistics}


def row_of(target: Any, prediction: Prediction, statistics: Iterable[str], context: TaskContext) -> dict[str, Ints]:
    """int64 [k] of each row statistic for one sample; raises SampleError when the prediction cannot be scored."""
    return {name: _row_statistic(name).row(target, prediction, context) for name in statistics}


def check(target: Any, prediction: Prediction, statistics: Iterable[str], context: TaskContext) -> None:
    """Raises SampleError when a set statistic cannot score the prediction; row statistics say so in ``row_of``."""
    for name in statistics:
        statistic = statistic_named(name)
        if isinstance(statistic, SetStatistic):
            statistic.check(target, prediction, context)


def tables_of(
    targets: Sequence[Any], predictions: Sequence[Prediction], statistics: Iterable[str], context: TaskContext
) -> dict[str, Table]:
    """The table of each statistic, n samples at once; raises SampleError when a prediction cannot be scored."""
    return {name: _table_of(statistic_named(name), targets, predictions, context) for name in statistics}


def estimates(
    rows: Rows,
    metrics: Sequence[str],
    context: TaskContext,
    *,
    draws: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> list[Estimate]:
    """Every metric over all samples, then every metric that is not per class over each slice.

    A slice is measured as if its samples were the whole set: classes and groups are its own. The method of an interval
    is that of its metric and its size (``stats.methods``) and named in the estimate; only a bootstrap reads ``draws``
    and ``seed``. The order of the samples does not matter. One group has a value and no interval. Raises
    NothingMeasured when there are no samples, UnknownName for a metric.
    """
    if not len(rows):
        raise NothingMeasured("There are no scored samples to estimate from; every sample failed or none was given.")
    chosen = [metric_named(name) for name in metrics]
    bootstrap = Bootstrap(draws, seed, level)
    found = _estimates_of(_Part("", "", rows), chosen, context, bootstrap)
    overall = [metric for metric in chosen if not metric.per_class]
    for tag, value, part in rows.slices():
        found += _estimates_of(_Part(tag, value, part), overall, context, bootstrap)
    return found


@dataclass(frozen=True, slots=True)
class _Part:
    """The samples of a slice, or all of them (tag and value "")."""

    tag: str
    value: str
    rows: Rows


@dataclass(frozen=True, slots=True)
class _Counts:
    """How many samples hold each class, and how many classes occur nowhere."""

    support: Ints
    absent: int


@lru_cache(maxsize=64)
def statistic_named(name: str) -> Statistic:
    """The registered statistic, or that of one part of a joint suite; raises UnknownName."""
    own: Statistic = registry.statistic.get(own_name(name))()
    return statistic_of_part(part_of(name), own) if part_of(name) else own


def _row_statistic(name: str) -> RowStatistic:
    statistic = statistic_named(name)
    if not isinstance(statistic, RowStatistic):
        raise TypeError(f"statistic {name!r} is not counted sample by sample")
    return statistic


def _table_of(
    statistic: Statistic, targets: Sequence[Any], predictions: Sequence[Prediction], context: TaskContext
) -> Table:
    if isinstance(statistic, SetStatistic):
        return statistic.rows(targets, predictions, context)
    if not isinstance(statistic, RowStatistic):
        raise TypeError(f"{type(statistic).__name__} has neither row nor rows")
    rows = [statistic.row(target, p, context) for target, p in zip(targets, predictions, strict=True)]
    return np.array(rows, dtype=np.int64).reshape(len(rows), statistic.width(context))


def _estimates_of(part: _Part, metrics: Sequence[Metric], context: TaskContext, bootstrap: Bootstrap) -> list[Estimate]:
    codes = part.rows.group_codes()
    names = sorted({metric.statistic for metric in metrics})
    tables = {name: GroupedTable.of(part.rows.values[name], codes) for name in names}
    counts = {name: _counts(name, part.rows.values[name], context) for name in names}
    values = values_of(tables, metrics, context)
    scores = [
        score
        for metric in metrics
        for score in _scores(metric, values[metric.id][0], counts[metric.statistic], context)
    ]
    intervals = score_intervals(scores, tables, context, bootstrap)
    return [_estimate(score, found, part, tables, counts) for score, found in zip(scores, intervals, strict=True)]


def _counts(statistic: str, rows: Table, context: TaskContext) -> _Counts:
    counter = statistic_named(statistic)
    return _Counts(counter.support(rows, context), counter.absent(rows, context))


def _scores(metric: Metric, value: Floats, counts: _Counts, context: TaskContext) -> Iterator[Score]:
    """The score of a metric, or one for each class."""
    few = (counts.support > 0) & (counts.support < FEW_INSTANCES)
    if not metric.per_class:
        yield Score(metric, float(value), few_instances=bool(few.any()))
        return
    for c, label in enumerate(metric.classes(context)):
        yield Score(metric, float(value[c]), label, c, bool(few[c : c + 1].any()))


def _estimate(
    score: Score,
    found: NamedInterval,
    part: _Part,
    tables: Mapping[str, GroupedTable],
    counts: Mapping[str, _Counts],
) -> Estimate:
    metric, groups = score.metric, tables[score.metric.statistic].groups
    few = (("few-groups", groups < FEW_GROUPS), ("few-instances", score.few_instances))
    low, high = found.interval.bounds or (None, None)
    return Estimate(
        metric=metric.id,
        version=metric.version,
        direction=metric.direction,
        label=score.label,
        tag=part.tag,
        slice=part.value,
        value=score.value if np.isfinite(score.value) else None,
        low=low,
        high=high,
        level=found.level,
        method=found.method,
        estimand=metric.estimand,
        n=len(part.rows),
        groups=groups,
        classes_absent=0 if metric.per_class else counts[metric.statistic].absent,
        flags=tuple(name for name, on in few if on),
        reason=_reason(score, found),
    )


def _reason(score: Score, found: NamedInterval) -> str:
    """Why there is no value, or no interval; "" where there are both."""
    if np.isinf(score.value):
        return "the value is infinite"
    if np.isnan(score.value) and score.label:
        return f"class {score.label!r} occurs in no target and no prediction"
    if np.isnan(score.value):
        return "no class of it occurs in any sample"
    return f"no interval: {found.interval.reason}" if found.interval.bounds is None else ""
