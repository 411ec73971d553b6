"""Confidence intervals from bootstrap replicates, or from a value and its standard error.

Every function gives an Interval: two bounds, or none and the reason why. ``level`` is the coverage, 0.95 for 95 %.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Interval:
    """``bounds`` (low, high), or None with the ``reason``."""

    bounds: tuple[float, float] | None
    reason: str = ""

    def clipped(self, low: float, high: float) -> Interval:
        """The part inside the range of the metric."""
        if self.bounds is None:
            return self
        return Interval((max(low, self.bounds[0]), min(high, self.bounds[1])))


def percentile_interval(replicates: Floats, level: float) -> Interval:
    """Bounds of the central ``level`` of replicates [draws] (Efron and Tibshirani 1993, section 13.3).

    A replicate that is NaN (undefined in that draw) is left out. No bounds when more than 1 - level of the replicates
    are undefined: as much as lies outside the interval is then unknown.
    """
    defined = replicates[~np.isnan(replicates)]
    reason = _too_few(replicates, defined, level)
    if reason:
        return Interval(None, reason)
    return _quantiles(defined, (1 - level) / 2, (1 + level) / 2)


def bca_interval(value: float, replicates: Floats, acceleration: float, level: float) -> Interval:
    """Bias-corrected and accelerated percentiles (Efron 1987; Efron and Tibshirani 1993, section 14.3).

    ``acceleration`` comes from the jackknife over the same groups. Replicates equal to the value count half. No bounds
    where the acceleration is NaN, too many replicates are undefined (as in ``percentile_interval``) or all lie on one
    side of the value.
    """
    defined = replicates[~np.isnan(replicates)]
    reason = _too_few(replicates, defined, level)
    if reason:
        return Interval(None, reason)
    below = float((defined < value).mean() + (defined <= value).mean()) / 2
    if np.isnan(acceleration):
        return Interval(None, "undefined without one of the groups")
    if not 0 < below < 1:
        return Interval(None, "all bootstrap draws lie on one side of the value")
    bias = ndtri(below)
    shifted = bias + ndtri(np.array([(1 - level) / 2, (1 + level) / 2]))
    stretch = 1 - acceleration * shifted
    if (stretch <= 0).any():
        return Interval(None, "the groups are too skewed for the BCa interval")
    low, high = ndtr(bias + shifted / stretch)
    return _quantiles(defined, float(low), float(high))


def bias_corrected_normal_interval(value: float, replicates: Floats, level: float) -> Interval:
    """value - bias -+ z sd, with the bootstrap's bias (mean of replicates - value) and sd (R's boot.ci "norm").

    It aims at the value of an endless test set, not at the expected score on sets of this size. No bounds where too
    many replicates are undefined.
    """
    defined = replicates[~np.isnan(replicates)]
    reason = _too_few(replicates, defined, level)
    if not reason and defined.size < 2:
        reason = "fewer than two bootstrap draws"
    if reason:
        return Interval(None, reason)
    return student_interval(2 * value - float(defined.mean()), float(defined.std(ddof=1)), np.inf, level)


def student_interval(value: float, error: float, degrees: float, level: float) -> Interval:
    """value -+ t error, Student's t with ``degrees`` of freedom (normal when infinite).

    With the jackknife's standard error over G groups and G - 1 degrees this is the jackknife-t interval, and for a mean
    the classical one of Student. No bounds where the error is undefined or no degree of freedom is left.
    """
    if np.isnan(value) or np.isnan(error):
        return Interval(None, "the standard error is undefined")
    if degrees <= 0:
        return Interval(None, "all samples are of one group")
    reach = student_quantile((1 + level) / 2, degrees) * error
    return Interval((value - reach, value + reach))


def student_quantile(probability: float, degrees: float) -> float:
    """Quantile of Student's t; the normal one for infinite ``degrees``."""
    return float(ndtri(probability) if np.isinf(degrees) else stdtrit(degrees, probability))


def student_tail(statistic: float, degrees: float) -> float:
    """P(T <= -``statistic``) of Student's t; of the normal for infinite ``degrees``."""
    return float(ndtr(-statistic) if np.isinf(degrees) else stdtr(degrees, -statistic))


def _too_few(replicates: Floats, defined: Floats, level: float) -> str:
    """Why the replicates give no interval, or ""."""
    undefined = replicates.size - defined.size
    # Compared as counts, with room for rounding in 1 - level.
    if undefined > (1 - level) * replicates.size + 1e-9 or not defined.size:
        return f"undefined in {undefined} of {replicates.size} draws"
    return ""


def _quantiles(replicates: Floats, low: float, high: float) -> Interval:
    bounds = np.quantile(replicates, [low, high])
    return Interval((float(bounds[0]), float(bounds[1])))
