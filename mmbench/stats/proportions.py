"""Exact and score methods for shares of right answers where every sample is its own group.

All counts are whole numbers. Paired counts: of ``pairs`` samples, ``first_only`` are right on the first side alone and
``second_only`` on the second alone; the difference is first - second.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf, sqrt

from scipy.special import bdtr, betaincinv, ndtr, ndtri

from mmbench.stats.intervals import Interval

_NONE = "there are no samples"


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


def tango_score(first_only: int, second_only: int, pairs: int, difference: float) -> float:
    """Score statistic of "the difference of paired shares is ``difference``" (Tango 1998), about standard normal.

    (b - c - n d) / sqrt(n (2 q + d (1 - d))), q the restricted maximum likelihood estimate of the share c / n; it falls
    as ``difference``, in -1..1, rises. A variance of 0 gives an infinite statistic, or 0 where nothing contradicts.
    """
    if difference < 0:  # Through the mirror image, so that swapping the sides flips the sign to the last bit.
        return 0.0 - tango_score(second_only, first_only, pairs, -difference)
    linear = (2 * pairs - first_only + second_only) * difference - first_only - second_only
    constant = -second_only * difference * (1 - difference)
    root = sqrt(linear * linear - 8 * pairs * constant)
    # The positive root of 2 n q^2 + linear q + constant, in the form that loses no digits.
    share = (root - linear) / (4 * pairs) if linear < 0 else -2 * constant / (root + linear) if root + linear else 0.0
    excess = first_only - second_only - pairs * difference
    variance = pairs * (2 * share + difference * (1 - difference))
    if variance <= 0:
        return 0.0 if excess == 0 else inf if excess > 0 else -inf
    return float(excess / sqrt(variance))


def tango_bound(first_only: int, second_only: int, pairs: int, alpha: float) -> float:
    """Upper bound 1 - ``alpha`` (one-sided) of the difference first - second (Tango 1998)."""
    if first_only == pairs:
        return 1.0
    quantile = float(ndtri(alpha))
    estimate = (first_only - second_only) / pairs
    return _crossing(lambda d: tango_score(first_only, second_only, pairs, d) - quantile, estimate, 1.0)


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


def _crossing(falling: Callable[[float], float], low: float, high: float) -> float:
    """Where a falling function changes its sign between low and high, to the last bit, by bisection."""
    for _ in range(80):
        middle = (low + high) / 2
        if falling(middle) > 0:
            low = middle
        else:
            high = middle
    return (low + high) / 2
