"""Areas under curves of scores: AUROC and average precision, exact with ties, for many draws at once.

Rows are float64 [n,2C]: the scores of C classes, then 1 where the class is a target, else 0. Each class is one ranking:
C is 1 for a binary task (``binary_rows``), one against the rest for one label a sample (``one_vs_rest_rows``), or any
number of labels a sample (``multilabel_rows``). Scores need no common scale and are only compared within a class.

Values take rows and whole weights [draws,n] (None: every sample once) and give float64 [draws]. A class has no value in
a draw without a positive (and for AUROC without a negative): it is left out of the mean, and with no class left the
value is NaN. The scores are sorted once for all draws; a draw then costs running totals over the samples.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike

from mmbench.core.metric import Floats, Ints
from mmbench.metrics.inputs import class_numbers, indicators, numbers
from mmbench.metrics.ratios import mean_of_defined, ratio, weighted_mean_of_defined
from mmbench.metrics.weighted import Weights, by_chunks, running_totals, whole_weights


def binary_rows(scores: ArrayLike, targets: ArrayLike) -> Floats:
    """Rows [n,2] of scores [n], higher for the positive class, and targets bool or 0/1 [n].

    Raises ValueError for another shape, SampleError for NaN or another target.
    """
    level = numbers("scores", scores, (None,))
    return np.stack([level, indicators("targets", targets, level.shape)], axis=1).astype(np.float64)


def one_vs_rest_rows(scores: ArrayLike, targets: ArrayLike) -> Floats:
    """Rows [n,2C] of scores [n,C] and class numbers [n]; errors as ``binary_rows``."""
    table = numbers("scores", scores, (None, None))
    truth = class_numbers("targets", targets, len(table), table.shape[1])
    return np.concatenate([table, np.arange(table.shape[1]) == truth[:, None]], axis=1).astype(np.float64)


def multilabel_rows(scores: ArrayLike, targets: ArrayLike) -> Floats:
    """Rows [n,2C] of scores [n,C] and targets bool or 0/1 [n,C]; errors as ``binary_rows``."""
    table = numbers("scores", scores, (None, None))
    return np.concatenate([table, indicators("targets", targets, table.shape)], axis=1).astype(np.float64)


def auroc(rows: Floats, weights: Weights | None = None) -> Floats:
    """Area under the ROC curve, the mean over classes (macro), 0..1; for a binary task of its one class."""
    return mean_of_defined(class_auroc(rows, weights))


def weighted_auroc(rows: Floats, weights: Weights | None = None) -> Floats:
    """Mean of ``class_auroc`` by how often each class is the target."""
    whole = whole_weights(weights, len(rows))
    return weighted_mean_of_defined(_per_class(_class_auroc, rows, whole), _support(rows, whole))


def class_auroc(rows: Floats, weights: Weights | None = None) -> Floats:
    """float64 [draws,C]: the chance that a positive outscores a negative, ties counting half (Hanley and McNeil 1982).

    NaN where the class has no positive or no negative. Raises ValueError for weights that do not fit.
    """
    return _per_class(_class_auroc, rows, whole_weights(weights, len(rows)))


def average_precision(rows: Floats, weights: Weights | None = None) -> Floats:
    """Average precision, the mean over classes (mAP), 0..1; for a binary task of its one class."""
    return mean_of_defined(class_average_precision(rows, weights))


def weighted_average_precision(rows: Floats, weights: Weights | None = None) -> Floats:
    """Mean of ``class_average_precision`` by how often each class is the target."""
    whole = whole_weights(weights, len(rows))
    return weighted_mean_of_defined(_per_class(_class_average_precision, rows, whole), _support(rows, whole))


def class_average_precision(rows: Floats, weights: Weights | None = None) -> Floats:
    """float64 [draws,C]: sum over thresholds of (R_i - R_{i-1}) P_i, the step-wise area of scikit-learn.

    Not interpolated: PASCAL VOC's and COCO's detection AP are other metrics. Samples of equal score pass the threshold
    together. NaN, where scikit-learn gives 0, when the class has no positive. Raises ValueError for weights that do
    not fit.
    """
    return _per_class(_class_average_precision, rows, whole_weights(weights, len(rows)))


def _class_auroc(scores: Floats, targets: Floats) -> Callable[[Ints], Floats]:
    """From the weights [d,n] of a chunk to the AUROC [d] of one class."""
    order = np.argsort(scores, kind="stable")
    ranked = scores[order]
    positives = order[targets[order] > 0]
    first = np.searchsorted(ranked, scores[positives], side="left")
    last = np.searchsorted(ranked, scores[positives], side="right")

    def value(weights: Ints) -> Floats:
        own = np.take(weights, positives, axis=1)
        totals = running_totals(np.take(weights, order, axis=1))
        # Twice the mid-ranks: with all samples counted below, the positives among themselves give P^2.
        ranks = np.take(totals, first, axis=1)
        ranks += np.take(totals, last, axis=1)
        positive = own.sum(axis=1)
        wins = np.einsum("dp,dp->d", own, ranks) - positive**2
        pairs = positive * (totals[:, -1] - positive)
        return ratio(wins.astype(np.float64), 2.0 * pairs)

    return value


def _class_average_precision(scores: Floats, targets: Floats) -> Callable[[Ints], Floats]:
    """From the weights [d,n] of a chunk to the average precision [d] of one class."""
    order = np.argsort(-scores, kind="stable")
    positives = order[targets[order] > 0]
    passed = np.searchsorted(-scores[order], -scores[positives], side="right")
    hits = np.searchsorted(-scores[positives], -scores[positives], side="right")

    def value(weights: Ints) -> Floats:
        own = np.take(weights, positives, axis=1)
        hit_totals = running_totals(own)
        totals = running_totals(np.take(weights, order, axis=1))
        # A total of 0 has hits of 0 and the own weight 0.
        precision = np.take(hit_totals, hits, axis=1) / np.maximum(np.take(totals, passed, axis=1), 1)
        return ratio((own * precision).sum(axis=1), hit_totals[:, -1].astype(np.float64))

    return value


def _per_class(curve: Callable[[Floats, Floats], Callable[[Ints], Floats]], rows: Floats, weights: Ints) -> Floats:
    """float64 [draws,C] of a curve over each class."""
    classes = rows.shape[1] // 2
    values = [by_chunks(curve(rows[:, c], rows[:, classes + c]), weights) for c in range(classes)]
    return np.stack(values, axis=1)


def _support(rows: Floats, weights: Ints) -> Floats:
    """float64 [draws,C]: how often each class is the target."""
    support: Floats = weights.astype(np.float64) @ rows[:, rows.shape[1] // 2 :]
    return support
