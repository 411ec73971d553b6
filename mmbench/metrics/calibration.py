"""Calibration errors of top-label confidences.

The expected and the maximum calibration error are values of summed rows, one block of columns a bin. The adaptive one
moves its bins with each draw and takes weights.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mmbench.core.metric import Floats, Ints
from mmbench.metrics.inputs import class_numbers, distributions, indicators, positive, shares
from mmbench.metrics.ratios import ratio
from mmbench.metrics.weighted import Weights, by_chunks, running_totals, whole_weights

BINS = 15


def top_label(probabilities: ArrayLike, targets: ArrayLike) -> Floats:
    """Rows float64 [n,2]: the highest probability of [n,C], and 1 where its class is the target [n].

    Of equal probabilities the lowest class number counts. Raises ValueError for another shape, SampleError for a row
    that is no distribution or a target out of range.
    """
    table = distributions("probabilities", probabilities)
    truth = class_numbers("targets", targets, len(table), table.shape[1])
    label = table.argmax(axis=1)
    return np.stack([table[np.arange(len(table)), label], label == truth], axis=1)


def confidence_rows(confidences: ArrayLike, correct: ArrayLike) -> Floats:
    """Rows float64 [n,2] of any confidences 0..1 [n] and whether each was correct, bool or 0/1 [n].

    With probabilities of the positive class and binary targets the errors below are those of that class, as
    torchmetrics has them for binary tasks. Raises ValueError, or SampleError for a row out of range.
    """
    level = shares("confidences", confidences, (None,))
    return np.stack([level, indicators("correctness", correct, level.shape)], axis=1)


def bin_rows(rows: Floats, bins: int = BINS) -> Floats:
    """Rows float64 [n,3B] for ``ece`` of rows [n,2]: in the sample's bin 1, its confidence and whether it is correct.

    Bins of equal width ((b-1)/B, b/B], the first with 0, as in the code of Guo et al. 2017; torchmetrics closes them on
    the left. Raises ValueError for ``bins`` below 1.
    """
    positive("number of bins", bins)
    place = np.searchsorted(np.arange(1, bins) / bins, rows[:, 0])
    table = np.zeros((len(rows), 3, bins))
    each = np.arange(len(rows))
    table[each, 0, place] = 1
    table[each, 1, place] = rows[:, 0]
    table[each, 2, place] = rows[:, 1]
    return table.reshape(len(rows), 3 * bins)


def ece(sums: Floats) -> Floats:
    """Expected calibration error of sums [..., 3B]: sum_b n_b/n |accuracy_b - confidence_b| (Naeini et al. 2015).

    Range 0..1, NaN where nothing is counted.
    """
    count, confidence, correct = _bins(sums)
    return ratio(np.abs(correct - confidence).sum(axis=-1), count.sum(axis=-1))


def mce(sums: Floats) -> Floats:
    """Maximum calibration error of sums [..., 3B], over the bins that hold a sample; NaN where none does."""
    count, confidence, correct = _bins(sums)
    gap = np.where(count > 0, np.abs(correct - confidence) / np.maximum(count, 1), -np.inf)
    widest = gap.max(axis=-1)
    return np.where(np.isneginf(widest), np.nan, widest)


def adaptive_ece(rows: Floats, weights: Weights | None = None, bins: int = BINS) -> Floats:
    """float64 [draws]: the calibration error over bins of equal mass (Nguyen and O'Connor 2015), 0..1.

    Rows [n,2] of ``top_label``, sorted by confidence and cut into B bins of n/B samples; a sample on a cut is shared
    between both bins, and samples of equal confidence are shared alike, so that their order does not matter. NaN for
    a draw of nothing. Raises ValueError for ``bins`` below 1 or weights that do not fit.
    """
    positive("number of bins", bins)
    levels, place = np.unique(rows[:, 0], return_inverse=True)
    order = np.argsort(place, kind="stable")
    ends = np.searchsorted(place[order], np.arange(1, len(levels) + 1))
    right = order[rows[order, 1] > 0]
    right_ends = np.searchsorted(place[right], np.arange(1, len(levels) + 1))

    def value(chunk: Ints) -> Floats:
        mass = np.take(running_totals(np.take(chunk, order, axis=1)), ends, axis=1)
        correct = np.take(running_totals(np.take(chunk, right, axis=1)), right_ends, axis=1)
        confidence = np.cumsum(np.diff(mass, axis=1, prepend=0) * levels, axis=1)
        parts = zip(mass, correct - confidence, strict=True)
        return np.array([_gap_of_equal_bins(total, gap, bins) for total, gap in parts])

    return by_chunks(value, whole_weights(weights, len(rows)))


def _gap_of_equal_bins(mass: Ints, gap: Floats, bins: int) -> float:
    """Sum over bins of |change of the running gap [m]| between equal steps of the running mass [m], over all mass."""
    if not mass.size or not mass[-1]:
        return np.nan
    cuts = np.arange(bins + 1) / bins * mass[-1]
    at_cuts = np.interp(cuts, np.append(0, mass), np.append(0.0, gap))
    return float(np.abs(np.diff(at_cuts)).sum() / mass[-1])


def _bins(sums: Floats) -> tuple[Floats, Floats, Floats]:
    """Count, confidence and correct, each [..., B]."""
    bins = sums.shape[-1] // 3
    return sums[..., :bins], sums[..., bins : 2 * bins], sums[..., 2 * bins :]
