"""Intervals of the scores of one set of samples, each by the method that is chosen for its kind of metric."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mmbench.core.metric import Floats, Metric, TaskContext
from mmbench.metrics.means import kind_of, sample_scores
from mmbench.metrics.weighing import GroupedTable, left_out_values, replicates
from mmbench.stats import methods
from mmbench.stats.intervals import Interval
from mmbench.stats.jackknife import Jackknife
from mmbench.stats.methods import Method, choose_method


@dataclass(frozen=True, slots=True)
class Bootstrap:
    """How intervals are made: ``level`` (0..1), and draws and seed of those that resample."""

    draws: int
    seed: int
    level: float


@dataclass(frozen=True, slots=True)
class Score:
    """The value of a metric, or of one class of it: ``label`` in ``column`` of a per-class value.

    ``few_instances``: some class of it is in few samples.
    """

    metric: Metric
    value: float
    label: str = ""
    column: int | None = None
    few_instances: bool = False


@dataclass(frozen=True, slots=True)
class NamedInterval:
    """An interval of ``level`` and its method in words; no bounds where the value is undefined."""

    interval: Interval
    method: str
    level: float


def score_intervals(
    scores: Sequence[Score], tables: Mapping[str, GroupedTable], context: TaskContext, bootstrap: Bootstrap
) -> list[NamedInterval]:
    """The interval of each score, inside the bounds of its metric.

    ``tables`` of one set of samples by statistic. Values without each group, and replicates, are computed for the
    metrics whose method reads them alone.
    """
    chosen = [_Chosen.of(score, tables[score.metric.statistic], context) for score in scores]
    ours = [(score.metric, one.method) for score, one in zip(scores, chosen, strict=True) if np.isfinite(score.value)]
    left_out = left_out_values(tables, _reading(ours, Method.JACKKNIFE_T), context)
    resampled = _reading(ours, Method.PERCENTILE)
    drawn = replicates(tables, resampled, context, bootstrap.draws, bootstrap.seed) if resampled else {}
    found = []
    for score, one in zip(scores, chosen, strict=True):
        data = _Data(one.groups, one.share, _column(left_out, score), _column(drawn, score))
        found.append(
            NamedInterval(_interval(score, one.method, data, bootstrap), data.name(one.method), bootstrap.level)
        )
    return found


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The method of a score, the number of groups, and (right, samples) of a share."""

    method: Method
    groups: int
    share: tuple[int, int] | None

    @classmethod
    def of(cls, score: Score, table: GroupedTable, context: TaskContext) -> _Chosen:
        alone = sample_scores(table.table, score.metric, context)
        kind = kind_of(score.metric, alone, table.codes)
        samples, few = len(table.codes), score.few_instances
        method = choose_method(kind, "score", samples=samples, groups=table.groups, few_instances=few)
        return cls(method, table.groups, None if alone is None or kind != "proportion" else (int(alone.sum()), samples))


@dataclass(frozen=True, slots=True)
class _Data:
    """What the methods read: a share, the values without each group or block of groups, the replicates."""

    groups: int
    share: tuple[int, int] | None
    left_out: Floats | None
    replicates: Floats | None

    def name(self, method: Method) -> str:
        """As it stands in an estimate."""
        if method is Method.PERCENTILE and self.replicates is not None:
            return f"{method.value}({len(self.replicates)}, groups)"
        if method is Method.JACKKNIFE_T and self.left_out is not None:
            return f"{method.value}({len(self.left_out)} {'groups' if len(self.left_out) == self.groups else 'blocks'})"
        return method.value


def _interval(score: Score, method: Method, data: _Data, bootstrap: Bootstrap) -> Interval:
    if not np.isfinite(score.value):
        return Interval(None, "the value is undefined")
    jackknife = None if data.left_out is None else Jackknife(score.value, data.left_out)
    found = methods.interval(method, bootstrap.level, jackknife=jackknife, replicates=data.replicates, share=data.share)
    return found.clipped(score.metric.low, score.metric.high)


def _reading(scores: Sequence[tuple[Metric, Method]], method: Method) -> list[Metric]:
    """The metrics of the scores with this method, each once."""
    return list({metric.id: metric for metric, its in scores if its is method}.values())


def _column(values: Mapping[str, Floats], score: Score) -> Floats | None:
    found = values.get(score.metric.id)
    return found if found is None or score.column is None else found[:, score.column]
