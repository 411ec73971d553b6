"""Ratios and means of sums: NaN, never 0, where nothing is counted."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmbench.core.metric import Floats, Ints


def ratio(numerator: Floats, denominator: Floats) -> Floats:
    """The ratio; NaN where the denominator is 0 (denominators are not negative)."""
    return ratio_where(numerator, denominator, denominator > 0)


def ratio_where(numerator: Floats, denominator: Floats, occurs: NDArray[np.bool_]) -> Floats:
    """The ratio where ``occurs`` (there x/0 is x, so that 0/0 is 0), NaN elsewhere."""
    quotient = numerator / np.where(denominator > 0, denominator, 1.0)
    return np.where(occurs, quotient, np.nan)


def mean_of_defined(values: Floats) -> Floats:
    """Mean over the last axis of what is not NaN; NaN where nothing is."""
    defined = ~np.isnan(values)
    return ratio(np.where(defined, values, 0.0).sum(axis=-1), defined.sum(axis=-1).astype(np.float64))


def weighted_mean_of_defined(values: Floats, weights: Floats) -> Floats:
    """Mean over the last axis of what is not NaN, by ``weights`` of the same shape; NaN where these sum to 0."""
    defined = ~np.isnan(values)
    total = np.where(defined, weights, 0.0).sum(axis=-1)
    return ratio((np.where(defined, values, 0.0) * weights).sum(axis=-1), total)


def mean_rows(values: Floats) -> Floats:
    """Rows float64 [n,2] of values [n]: the value and 1; where it is NaN two zeros, which ``mean`` leaves out."""
    defined = ~np.isnan(values)
    return np.stack([np.where(defined, values, 0.0), defined], axis=1)


def hit_rows(hits: NDArray[np.bool_], counted: NDArray[np.bool_] | None = None) -> Ints:
    """Rows int64 [n,2] of hits bool [n]: 1 for a hit, and 1; two zeros where it is not ``counted``."""
    scored = np.ones_like(hits) if counted is None else counted
    return np.stack([hits & scored, scored], axis=1).astype(np.int64)


def mean(sums: NDArray[Any]) -> Floats:
    """Mean of the values behind summed rows [..., 2] (total, count); NaN where none is counted."""
    return ratio(sums[..., 0], sums[..., 1])
