"""Exact and score methods for shares of right answers where every sample is its own group.

All counts are whole numbers. Paired counts: of ``pairs`` samples, ``first_only`` are right on the first side alone and
``second_only`` on the second alone; the difference is first - second.
"""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, betaincinv, gammaln, ndtr, ndtri, xlogy

from mmbench.stats.intervals import Interval

Floats = NDArray[np.float64]
Counts = int | NDArray[np.int64]

_NONE = "there are no samples"
# The probability that the exact test gives away for not searching every share of discordant pairs.
_OUTSIDE = 1e-6
# Statistics this close are ties that rounding has parted.
_TIE = 1e-9


def clopper_pearson_interval(successes: int, trials: int, level: float) -> Interval:
    """Exact interval of a share, never below its level (Clopper and Pearson 1934)."""
    if trials < 1:
        return Interval(None, _NONE)
    tail = (1 - level) / 2
    low = float(betaincinv(successes, trials - successes + 1, tail)) if successes else 0.0
    high = float(betaincinv(successes + 1, trials - successes, 1 - tail)) if successes < trials else 1.0
    return Interval((low, high))


def wilson_interval(successes: int, trials: int, level: float) -> Interval:
    """Score interval of a share (Wilson 1927): about its level on average, also for few samples."""
    if trials < 1:
        return Interval(None, _NONE)
    share, z = successes / trials, float(ndtri((1 + level) / 2))
    shrink = 1 + z * z / trials
    centre = (share + z * z / (2 * trials)) / shrink
    reach = z / shrink * sqrt(share * (1 - share) / trials + z * z / (4 * trials * trials))
    return Interval((0.0 if successes == 0 else centre - reach, 1.0 if successes == trials else centre + reach))


def mcnemar_p(first_only: int, second_only: int) -> float:
    """Exact two-sided p of "both sides are right equally often" (McNemar 1947, binomial on the discordant pairs)."""
    return min(1.0, 2 * mcnemar_one_sided_p(max(first_only, second_only), min(first_only, second_only)))


def mcnemar_one_sided_p(first_only: int, second_only: int) -> float:
    """Exact p of "the first side is not right more often": P(X >= first_only), X ~ Binomial(discordant, 1/2)."""
    return float(bdtr(second_only, first_only + second_only, 0.5))


def tango_score(first_only: Counts, second_only: Counts, pairs: int, difference: float) -> Floats:
    """Score statistic of "the difference of paired shares is ``difference``" (Tango 1998), about standard normal.

    (b - c - n d) / sqrt(n (2 q + d (1 - d))), q the restricted maximum likelihood estimate of the share c / n; it falls
    as ``difference``, in -1..1, rises. A variance of 0 gives an infinite statistic, or 0 where nothing contradicts.
    The counts are numbers or arrays of one shape.
    """
    if difference < 0:  # Through the mirror image, so that swapping the sides flips the sign to the last bit.
        return 0.0 - tango_score(second_only, first_only, pairs, -difference)
    first, second = np.asarray(first_only, np.float64), np.asarray(second_only, np.float64)
    linear = (2 * pairs - first + second) * difference - first - second
    constant = -second * difference * (1 - difference)
    # Each side of 0 has its form of the positive root of 2 n q^2 + linear q + constant that loses no digits.
    root = np.sqrt(linear * linear - 8 * pairs * constant)
    rising = -2 * constant / np.maximum(root + linear, np.finfo(np.float64).tiny)
    share = np.where(linear < 0, (root - linear) / (4 * pairs), rising)
    excess = first - second - pairs * difference
    variance = pairs * (2 * share + difference * (1 - difference))
    with np.errstate(divide="ignore", invalid="ignore"):
        score: Floats = np.where(excess == 0, 0.0, excess / np.sqrt(variance))
    return score


def tango_bound(first_only: int, second_only: int, pairs: int, alpha: float) -> float:
    """Upper bound of level 1 - ``alpha`` (one-sided) of the difference first - second (Tango 1998)."""
    quantile = float(ndtri(alpha))
    return crossing(
        lambda difference: float(tango_score(first_only, second_only, pairs, difference)) - quantile,
        (first_only - second_only) / pairs,
        1.0,
    )


def tango_interval(first_only: int, second_only: int, pairs: int, level: float) -> Interval:
    """Score interval of the difference of paired shares (Tango 1998)."""
    if pairs < 1:
        return Interval(None, _NONE)
    tail = (1 - level) / 2
    low = -tango_bound(second_only, first_only, pairs, tail)
    return Interval((low, tango_bound(first_only, second_only, pairs, tail)))


def tango_p(first_only: int, second_only: int, pairs: int, difference: float) -> float:
    """One-sided p of "first - second is at least ``difference``": small where it is clearly less."""
    return float(ndtr(tango_score(first_only, second_only, pairs, difference)))


def tango_exact_p(first_only: int, second_only: int, pairs: int, difference: float) -> float:
    """``tango_p`` without the normal approximation: the exact unconditional p of the score statistic.

    The largest probability of a statistic at least as low, over 50 shares of discordant pairs inside their
    Clopper-Pearson interval of level 1 - 1e-6; what lies outside it is added (Berger and Boos 1994). Meant for few
    discordant pairs: the work grows with the square of their number.
    """
    observed = tango_score(first_only, second_only, pairs, difference)
    inside = clopper_pearson_interval(first_only + second_only, pairs, 1 - _OUTSIDE).bounds or (0.0, 1.0)
    rates = np.linspace(max(inside[0], abs(difference)), max(inside[1], abs(difference)), 50)[:, None]
    most = min(pairs, int(pairs * inside[1] + 8 * np.sqrt(pairs * inside[1]) + 10))
    first, second = np.triu_indices(most + 1)
    second = second - first
    low = tango_score(first, second, pairs, difference) <= observed + _TIE
    first, second = first[low], second[low]
    rest = pairs - first - second
    ways = gammaln(pairs + 1) - gammaln(first + 1) - gammaln(second + 1) - gammaln(rest + 1)
    chances = xlogy(first, np.maximum(rates + difference, 0) / 2) + xlogy(second, np.maximum(rates - difference, 0) / 2)
    sums = np.exp(ways + chances + xlogy(rest, 1 - rates)).sum(axis=1)
    return float(min(1.0, sums.max() + _OUTSIDE))


def crossing(falling: Callable[[float], float], low: float, high: float, steps: int = 80) -> float:
    """Where a falling function changes its sign between low and high, by bisection; an end where it does not."""
    for _ in range(steps):
        middle = (low + high) / 2
        if falling(middle) > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2
