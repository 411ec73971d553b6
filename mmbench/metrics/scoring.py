"""From targets and predictions to rows, and from rows to estimates."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
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
from mmbench.metrics.weighing import GroupedTable, replicates, values_of
from mmbench.stats.intervals import percentile_interval

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

    A slice is measured as if its samples were the whole set: classes and groups are its own. Intervals are the
    percentile bootstrap over groups (``stats.intervals``); the order of the samples does not matter. One group has a
    value and no interval. Raises NothingMeasured when there are no samples, UnknownName for a metric.
    """
    if not len(rows):
        raise NothingMeasured("There are no scored samples to estimate from; every sample failed or none was given.")
    chosen = [metric_named(name) for name in metrics]
    bootstrap = _Bootstrap(draws, seed, level)
    found = _estimates_of(_Part("", "", rows), chosen, context, bootstrap)
    overall = [metric for metric in chosen if not metric.per_class]
    for tag, value, part in rows.slices():
        found += _estimates_of(_Part(tag, value, part), overall, context, bootstrap)
    return found


@dataclass(frozen=True, slots=True)
class _Bootstrap:
    draws: int
    seed: int
    level: float


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


def _estimates_of(
    part: _Part, metrics: Sequence[Metric], context: TaskContext, bootstrap: _Bootstrap
) -> list[Estimate]:
    codes = part.rows.group_codes()
    groups = int(codes.max()) + 1
    names = sorted({metric.statistic for metric in metrics})
    tables = {name: GroupedTable.of(part.rows.values[name], codes) for name in names}
    counts = {name: _counts(name, part.rows.values[name], context) for name in names}
    draws = replicates(tables, metrics, context, bootstrap.draws, bootstrap.seed) if groups > 1 else {}
    values = values_of(tables, metrics, context)
    found: list[Estimate] = []
    for metric in metrics:
        value = values[metric.id][0]
        common = _common(metric, part, groups, bootstrap)
        found += _described(metric, value, draws.get(metric.id), counts[metric.statistic], context, common)
    return found


def _counts(statistic: str, rows: Table, context: TaskContext) -> _Counts:
    counter = statistic_named(statistic)
    return _Counts(counter.support(rows, context), counter.absent(rows, context))


def _common(metric: Metric, part: _Part, groups: int, bootstrap: _Bootstrap) -> dict[str, Any]:
    return {
        "metric": metric.id,
        "version": metric.version,
        "direction": metric.direction,
        "tag": part.tag,
        "slice": part.value,
        "level": bootstrap.level,
        "method": f"bootstrap-percentile({bootstrap.draws}, groups)" if groups > 1 else "none",
        "estimand": metric.estimand,
        "n": len(part.rows),
        "groups": groups,
    }


def _described(
    metric: Metric,
    value: Floats,
    replicates: Floats | None,
    counts: _Counts,
    context: TaskContext,
    common: dict[str, Any],
) -> Iterator[Estimate]:
    """The estimate of a metric, or one for each class."""
    if not metric.per_class:
        absent = {"classes_absent": counts.absent}
        yield _estimate(float(value), replicates, counts.support, common | absent)
        return
    for c, label in enumerate(metric.classes(context)):
        column = None if replicates is None else replicates[:, c]
        yield _estimate(float(value[c]), column, counts.support[c : c + 1], common | {"label": label})


def _estimate(value: float, replicates: Floats | None, support: Ints, common: dict[str, Any]) -> Estimate:
    few_groups = common["groups"] < FEW_GROUPS
    few_instances = bool(((support > 0) & (support < FEW_INSTANCES)).any())
    flags = tuple(name for name, on in (("few-groups", few_groups), ("few-instances", few_instances)) if on)
    if not np.isfinite(value):
        reason = _undefined(common) if np.isnan(value) else "the value is infinite"
        return Estimate(**common, value=None, flags=flags, reason=reason)
    if replicates is None:
        return Estimate(**common, value=value, flags=flags, reason="no interval: all samples are of one group")
    interval = percentile_interval(replicates, common["level"])
    if interval.bounds is None:
        return Estimate(**common, value=value, flags=flags, reason=f"no interval: {interval.reason}")
    low, high = interval.bounds
    return Estimate(**common, value=value, low=low, high=high, flags=flags)


def _undefined(common: dict[str, Any]) -> str:
    label = common.get("label")
    return f"class {label!r} occurs in no target and no prediction" if label else "no class of it occurs in any sample"
