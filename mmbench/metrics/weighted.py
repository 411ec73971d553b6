"""Draws as whole weights over samples, for metrics that are no function of sums.

``weights`` [draws,n] says how often each sample is in a draw: integer weights are literal repetition. Running totals
are summed in int64, exact and several times faster than float64 ones; a chunk of draws stays in the processor's cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmbench.core.metric import Floats, Ints

Weights = NDArray[Any]

# Numbers in a chunk's weights: 1 MiB of int64.
_CHUNK = 1 << 17


def whole_weights(weights: Weights | None, samples: int) -> Ints:
    """int64 [draws,samples]; None is one draw of every sample once.

    Raises ValueError for another shape, a negative weight or a fraction.
    """
    if weights is None:
        return np.ones((1, samples), dtype=np.int64)
    if weights.ndim != 2 or weights.shape[1] != samples:
        raise ValueError(f"The weights are of shape {list(weights.shape)}, expected [draws, {samples}].")
    whole: Ints = weights.astype(np.int64, copy=False)
    if weights.dtype.kind not in "biu" and not np.array_equal(whole, weights):
        raise ValueError("The weights hold fractions, expected how often each sample is drawn.")
    if whole.size and whole.min() < 0:
        raise ValueError("The weights hold a negative number, expected how often each sample is drawn.")
    return whole


def by_chunks(value: Callable[[Ints], Floats], weights: Ints) -> Floats:
    """``value`` (int64 [d,n] -> float64 [d] or [d,k]) of all draws [draws,n], computed on a few draws at a time."""
    step = max(1, _CHUNK // max(1, weights.shape[1]))
    return np.concatenate([value(weights[a : a + step]) for a in range(0, max(1, len(weights)), step)])


def running_totals(weights: Ints) -> Ints:
    """int64 [d,m+1]: column i is the weight [d,m] of the first i samples."""
    totals = np.zeros((weights.shape[0], weights.shape[1] + 1), dtype=np.int64)
    np.cumsum(weights, axis=1, out=totals[:, 1:])
    return totals


def label_totals(weights: Ints, labels: Ints, classes: int) -> Ints:
    """int64 [d,classes]: the weight [d,n] of the samples of each label [n]."""
    order = np.argsort(labels, kind="stable")
    bounds = np.searchsorted(labels[order], np.arange(classes + 1))
    totals = np.take(running_totals(np.take(weights, order, axis=1)), bounds, axis=1)
    return totals[:, 1:] - totals[:, :-1]
