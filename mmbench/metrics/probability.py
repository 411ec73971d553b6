"""Proper scores of predicted probabilities: the Brier score and the negative log-likelihood.

Both are means over samples: rows per sample, then the value of their sums.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mmbench.core.errors import SampleError
from mmbench.core.metric import Floats
from mmbench.metrics.inputs import class_numbers, distributions, indicators, numbers, shares
from mmbench.metrics.ratios import mean_rows, ratio


def brier_rows(probabilities: ArrayLike, targets: ArrayLike) -> Floats:
    """Rows float64 [n,2] for ``ratios.mean``: sum over the classes of (p_c - y_c)^2, range 0..2, and 1 (Brier 1950).

    Probabilities [n,C], targets class numbers [n]. For two classes it is twice ``binary_brier_rows``. Raises ValueError
    for another shape, SampleError for a row that is no distribution or a target out of range.
    """
    table = distributions("probabilities", probabilities)
    truth = class_numbers("targets", targets, len(table), table.shape[1])
    own = table[np.arange(len(table)), truth]
    return mean_rows((table**2).sum(axis=1) - own**2 + (1 - own) ** 2)


def binary_brier_rows(probabilities: ArrayLike, targets: ArrayLike) -> Floats:
    """Rows float64 [n,2] for ``ratios.mean``: (p - y)^2, range 0..1, and 1.

    Probabilities of the positive class [n], targets bool or 0/1 [n]. Raises ValueError, or SampleError for a row out of
    range.
    """
    chance = shares("probabilities", probabilities, (None,))
    return mean_rows((chance - indicators("targets", targets, chance.shape)) ** 2)


def nll_rows(probabilities: ArrayLike, targets: ArrayLike) -> Floats:
    """Rows float64 [n,3] for ``nll``: -ln p of the target, 0 where p is 0; whether p is 0; and 1.

    Probabilities [n,C], targets class numbers [n]; errors as ``brier_rows``. Nothing is clipped; scikit-learn clips at
    the dtype's epsilon. Where a softmax may have rounded to 0, take ``nll_rows_of_logits``.
    """
    table = distributions("probabilities", probabilities)
    truth = class_numbers("targets", targets, len(table), table.shape[1])
    own = table[np.arange(len(table)), truth]
    with np.errstate(divide="ignore"):
        return _loss_rows(np.log(own))


def nll_rows_of_logits(logits: ArrayLike, targets: ArrayLike) -> Floats:
    """Rows float64 [n,3] for ``nll`` of the softmax of logits [n,C]: the cross entropy in nats.

    -inf stands for a class that is ruled out. Raises ValueError for another shape, SampleError for NaN, +inf, a row of
    -inf alone or a target out of range.
    """
    table = numbers("logits", logits, (None, None)).astype(np.float64)
    truth = class_numbers("targets", targets, len(table), table.shape[1])
    highest = table.max(axis=1, initial=-np.inf)
    wrong = np.flatnonzero(~np.isfinite(highest))
    if wrong.size:
        raise SampleError(f"Row {wrong[0]} of the logits has the maximum {highest[wrong[0]]}; expected a finite one.")
    shifted = table - highest[:, None]
    own = shifted[np.arange(len(table)), truth]
    return _loss_rows(own - np.log(np.exp(shifted).sum(axis=1)))


def nll(sums: Floats) -> Floats:
    """Mean negative log-likelihood of sums [..., 3], in nats, 0..inf.

    Infinite where a target of probability 0 is counted, NaN where nothing is.
    """
    return np.where(sums[..., 1] > 0, np.inf, ratio(sums[..., 0], sums[..., 2]))


def _loss_rows(log_likelihood: Floats) -> Floats:
    # Infinity is counted apart: in a matrix product with weights, 0 * inf would make every draw NaN.
    impossible = np.isneginf(log_likelihood)
    return np.stack([np.where(impossible, 0.0, -log_likelihood), impossible, np.ones_like(log_likelihood)], axis=1)
