"""Bounds of metrics that are no mean over samples (AP, CIDEr): the best score that any of a source's policies reaches.

A policy predicts from some of the modalities as well as can be; which of several is best depends on the metric, so that
each is scored by the shipped scorer. Every subset of modalities short of all counts as unimodal, by ``image+audio``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from mmbench.core.bounds import Bounds
from mmbench.core.metric import TaskContext, metric_named
from mmbench.core.prediction import Prediction
from mmbench.core.sample import Sample
from mmbench.core.source import PolicySource
from mmbench.metrics.rows import Rows
from mmbench.metrics.scoring import needed_statistics, tables_of
from mmbench.metrics.weighing import GroupedTable, values_of

_DIGITS = 6  # rounding hides the last bits, in which platforms differ

# By slice (tag, value; "" for all samples), then by metric.
Scores = dict[tuple[str, str], dict[str, float]]


def policy_bounds(source: PolicySource, metrics: Sequence[str], sample_ids: Sequence[str]) -> tuple[Bounds, ...]:
    """Bounds of those of ``metrics`` that the source's policies are made for: over all samples, then of each slice.

    None of a metric that is undefined on the samples.
    """
    chosen = [name for name in source.policy_metrics if name in metrics]
    if not chosen or not sample_ids:
        return ()
    samples = [source.without_inputs(sample_id) for sample_id in sample_ids]
    names = tuple(source.modalities)
    subsets = [observed for size in range(len(names) + 1) for observed in combinations(names, size)]
    best = {observed: _best(source, samples, observed, chosen) for observed in subsets}
    return tuple(_bounds(source, best, names))


def _best(source: PolicySource, samples: Sequence[Sample], observed: Sequence[str], metrics: Sequence[str]) -> Scores:
    """The best of all policies, for each slice and metric apart."""
    context = TaskContext(tuple(source.classes), source.ignore)
    found: Scores = {}
    for predictions in source.policies([sample.id for sample in samples], observed).values():
        for part, values in _scores(samples, predictions, metrics, context).items():
            known = found.setdefault(part, values)
            found[part] = {name: max(known[name], value) for name, value in values.items()}
    return found


def _scores(
    samples: Sequence[Sample], predictions: Sequence[Prediction], metrics: Sequence[str], context: TaskContext
) -> Scores:
    targets = [sample.target for sample in samples]
    tables = tables_of(targets, predictions, needed_statistics(metrics), context)
    ids = tuple(sample.id for sample in samples)
    rows = Rows(ids, ids, tuple(sample.tags for sample in samples), tables)
    parts = {("", ""): rows} | {(tag, value): part for tag, value, part in rows.slices()}
    return {part: _values(own, metrics, context) for part, own in parts.items()}


def _values(rows: Rows, metrics: Sequence[str], context: TaskContext) -> dict[str, float]:
    codes = np.arange(len(rows), dtype=np.int64)
    tables = {name: GroupedTable.of(table, codes) for name, table in rows.values.items()}
    values = values_of(tables, [metric_named(name) for name in metrics], context)
    return {name: round(float(values[name][0]), _DIGITS) for name in metrics}


def _bounds(
    source: PolicySource, best: Mapping[tuple[str, ...], Scores], modalities: tuple[str, ...]
) -> Iterator[Bounds]:
    for (tag, value), fused in best[modalities].items():
        for metric, ceiling in fused.items():
            found = {observed: scores[tag, value][metric] for observed, scores in best.items()}
            if np.isnan(list(found.values())).any():
                continue
            partial = {"+".join(o): score for o, score in found.items() if 0 < len(o) < len(modalities)}
            yield Bounds(
                metric=metric,
                chance=found[()],
                unimodal=partial,
                fused=ceiling,
                spec_version=source.spec_version,
                tag=tag,
                value=value,
            )
