"""Metrics that are the mean of their samples' scores, seen from the numbers."""

from __future__ import annotations

import numpy as np

from mmbench.core.metric import Floats, Ints, Metric, TaskContext
from mmbench.core.table import Ragged, Table
from mmbench.stats.methods import Kind
from mmbench.stats.resampling import draw_weights

# Draws of weights under which a metric must be the mean of its samples' scores, to be treated as one.
_PROBES = 3
_ROUNDING = 1e-9


def sample_scores(table: Table, metric: Metric, context: TaskContext) -> Floats | None:
    """The score [n] of each sample alone, None unless the metric is their mean under any weights of samples.

    Seen from the numbers, as a metric does not say so: it is compared with the mean under random weights. A metric that
    is 1 on every sample is then such a mean, whatever it is.
    """
    if metric.kind != "sums" or metric.per_class or isinstance(table, Ragged):
        return None
    rows = table.astype(np.float64)
    scores: Floats = metric.value(rows, context)
    if not np.isfinite(scores).all():
        return None
    weights = np.concatenate(list(draw_weights(len(rows), _PROBES, 0)))
    means, values = weights @ scores / len(rows), metric.value(weights @ rows, context)
    return scores if np.allclose(means, values, rtol=_ROUNDING, atol=_ROUNDING) else None


def is_share(scores: Floats, codes: Ints) -> bool:
    """Whether the mean of these scores [n] is a share of right samples, each its own group of ``codes`` [n]."""
    return int(codes.max()) + 1 == len(codes) and bool(np.isin(scores, (0.0, 1.0)).all())


def kind_of(metric: Metric, scores: Floats | None, codes: Ints) -> Kind:
    """Which kind of metric ``stats.methods`` is asked for; ``scores`` as ``sample_scores`` gives them."""
    if metric.kind != "sums":
        return "weighted"
    if scores is None:
        return "sums"
    return "proportion" if is_share(scores, codes) else "mean"
