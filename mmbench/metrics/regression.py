"""Regression: errors, correlation and agreement of predicted numbers.

All but Spearman's are values of summed rows. Variances come from moments about fixed centres near the means, so that
little is lost to cancellation. Variances are those of the population (1/n), as Lin defines his coefficient;
torchmetrics takes 1/(n-1) in ``concordance``.

Undefined (NaN): any metric of nothing, and a correlation or R^2 whose needed side is constant.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mmbench.core.metric import Floats, Ints
from mmbench.metrics.inputs import numbers
from mmbench.metrics.ratios import ratio
from mmbench.metrics.weighted import Weights, by_chunks, running_totals, whole_weights


def pair_rows(predictions: ArrayLike, targets: ArrayLike) -> Floats:
    """Rows float64 [n,2] of finite numbers [n]: prediction and target.

    Raises ValueError for another shape, SampleError for NaN or infinity.
    """
    truth = numbers("targets", targets, (None,), finite=True)
    guess = numbers("predictions", predictions, truth.shape, finite=True)
    return np.stack([guess, truth], axis=1).astype(np.float64)


def error_rows(pairs: Floats) -> Floats:
    """Rows float64 [n,3] of pairs [n,2]: the absolute error, the squared error and 1."""
    error = pairs[:, 0] - pairs[:, 1]
    return np.stack([np.abs(error), error**2, np.ones_like(error)], axis=1)


def mae(sums: Floats) -> Floats:
    """Mean absolute error of sums [..., 3] of ``error_rows``, 0..inf, in the unit of the targets."""
    return ratio(sums[..., 0], sums[..., 2])


def mse(sums: Floats) -> Floats:
    """Mean squared error of sums [..., 3] of ``error_rows``, 0..inf."""
    return ratio(sums[..., 1], sums[..., 2])


def rmse(sums: Floats) -> Floats:
    """Root of ``mse``, in the unit of the targets."""
    return np.sqrt(mse(sums))


def centres(pairs: Floats) -> tuple[float, float]:
    """The prediction and the target of pairs [n,2] (n from 1) that are nearest to their means.

    Values of the data, so that a constant side has moments of exactly 0.
    """
    nearest = np.abs(pairs - pairs.mean(axis=0)).argmin(axis=0)
    return float(pairs[nearest[0], 0]), float(pairs[nearest[1], 1])


def moment_rows(pairs: Floats, about: tuple[float, float]) -> Floats:
    """Rows float64 [n,8] of pairs [n,2]: 1, x, y, x^2, y^2, xy about the centres, then the error and its square.

    x are the predictions, y the targets. Rows can be summed or merged only when they are about the same centres: take
    ``centres`` of all pairs, or one stated pair of numbers. The values do not depend on the centres but for rounding.
    """
    x, y = pairs[:, 0] - about[0], pairs[:, 1] - about[1]
    error = pairs[:, 0] - pairs[:, 1]
    return np.stack([np.ones_like(x), x, y, x**2, y**2, x * y, error, error**2], axis=1)


def r_squared(sums: Floats) -> Floats:
    """1 - sum of squared errors / sum of squares of the targets about their mean, -inf..1; NaN for constant targets."""
    return 1 - ratio(sums[..., 7], _spreads(sums)[1])


def pearson(sums: Floats) -> Floats:
    """Pearson's correlation of sums [..., 8], -1..1; NaN when a side is constant."""
    predicted, target = _spreads(sums)
    return np.clip(ratio(_comovement(sums), np.sqrt(predicted) * np.sqrt(target)), -1, 1)


def concordance(sums: Floats) -> Floats:
    """Concordance correlation 2 s_xy / (s_x^2 + s_y^2 + (m_x - m_y)^2) of sums [..., 8] (Lin 1989), -1..1.

    0 when one side is constant, NaN when both are the same constant.
    """
    predicted, target = _spreads(sums)
    shift = ratio(sums[..., 6], sums[..., 0])
    return ratio(2 * _comovement(sums), predicted + target + sums[..., 0] * shift**2)


def spearman(pairs: Floats, weights: Weights | None = None) -> Floats:
    """float64 [draws]: Spearman's correlation of pairs [n,2], Pearson's of the mid-ranks, -1..1.

    Each draw is ranked anew, ties sharing their mean rank. NaN when a side is constant in the draw. Raises ValueError
    for weights that do not fit.
    """
    places = [_places(side) for side in pairs.T]

    def value(chunk: Ints) -> Floats:
        x, y = (_centred_ranks(chunk, *place) for place in places)
        products = ((x, y), (x, x), (y, y))
        shared, first, second = (np.einsum("dn,dn,dn->d", chunk.astype(np.float64), a, b) for a, b in products)
        return ratio(shared, np.sqrt(first * second))

    return by_chunks(value, whole_weights(weights, len(pairs)))


def _spreads(sums: Floats) -> tuple[Floats, Floats]:
    """Sums of squares about the means of x and y."""
    return _spread(sums[..., 0], sums[..., 1], sums[..., 3]), _spread(sums[..., 0], sums[..., 2], sums[..., 4])


def _spread(count: Floats, first: Floats, second: Floats) -> Floats:
    spread = second - first**2 / np.maximum(count, 1)
    # A draw of one repeated value leaves rounding noise, which is no spread.
    noise = np.finfo(np.float64).eps * count * second
    return np.where(spread > noise, spread, 0.0)


def _comovement(sums: Floats) -> Floats:
    """Sum of products about the means."""
    product: Floats = sums[..., 5] - sums[..., 1] * sums[..., 2] / np.maximum(sums[..., 0], 1)
    return product


def _places(values: Floats) -> tuple[Ints, Ints, Ints]:
    """The sorted order, and for each value where its ties begin and end in it."""
    order = np.argsort(values, kind="stable")
    ranked = values[order]
    return order, np.searchsorted(ranked, values, side="left"), np.searchsorted(ranked, values, side="right")


def _centred_ranks(weights: Ints, order: Ints, first: Ints, last: Ints) -> Floats:
    """float64 [d,n]: twice the mid-rank of each sample less its mean, in whole numbers."""
    totals = running_totals(np.take(weights, order, axis=1))
    ranks = np.take(totals, first, axis=1) + np.take(totals, last, axis=1) - totals[:, -1:]
    return ranks.astype(np.float64)
