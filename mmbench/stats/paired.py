"""The difference of two sides that were measured on the same samples."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr

from mmbench.stats.jackknife import Jackknife, difference

Floats = NDArray[np.float64]

# Differences below this, relative to the scores (at least to 1), are rounding.
_ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Difference:
    """``value`` = first - second, its standard error, and the two-sided p-value of "no difference".

    ``error`` is NaN and ``p`` 1 where nothing can be said.
    """

    value: float
    error: float
    p: float


def paired_difference(first: float, second: float, draws: tuple[Floats, Floats], groups: int) -> Difference:
    """Paired bootstrap over G ``groups``: ``draws`` are both sides' replicates [draws], from the same weights.

    The standard error is that of the replicates' differences times sqrt(G/(G-1)), which the bootstrap lacks (Efron and
    Tibshirani 1993, section 5.3); p is Student's with G-1 degrees of freedom, which for many groups is the normal one.
    p is never below 2**(1-G), the smallest that a sign-flip test of G groups can give (all speak for the same side):
    a difference that hardly varies proves no more than that. A difference of 0 has p = 1. Replicates that are undefined
    on a side are left out.
    """
    value = first - second
    differences = draws[0] - draws[1]
    differences = differences[~np.isnan(differences)]
    if np.isnan(value) or groups < 2 or differences.size < 2:
        return Difference(value, np.nan, 1.0)
    error = float(differences.std(ddof=1)) * (groups / (groups - 1)) ** 0.5
    return Difference(value, error, _p_value(value, error, groups, _ROUNDING * max(1.0, abs(first), abs(second))))


def jackknife_difference(first: Jackknife, second: Jackknife) -> Difference:
    """As ``paired_difference``, with the standard error of the jackknife over the same groups: no draws, no noise.

    Its interval is ``student_interval(value, error, G - 1)``. Raises ValueError when the sides differ in groups.
    """
    both = difference(first, second)
    if np.isnan(both.error):
        return Difference(both.value, np.nan, 1.0)
    rounding = _ROUNDING * max(1.0, abs(first.value), abs(second.value))
    return Difference(both.value, both.error, _p_value(both.value, both.error, both.groups, rounding))


def _p_value(value: float, error: float, groups: int, rounding: float) -> float:
    if abs(value) <= rounding:
        return 1.0
    student = float(2 * stdtr(groups - 1, -abs(value) / error)) if error > rounding else 0.0
    return max(student, 2.0 ** (1 - groups))
