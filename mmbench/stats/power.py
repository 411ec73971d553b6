"""What a measurement can tell: detectable effects and the number of groups that a question needs.

All start from the standard ``error`` of a difference measured on ``groups`` paired groups; with any clustering it
shrinks with the square root of their number. Normal quantiles: below some 30 groups the truth needs a few more.
"""

from __future__ import annotations

from math import ceil, inf, sqrt

from scipy.special import ndtr, ndtri

from mmbench.stats.intervals import student_quantile


def minimal_detectable_effect(
    error: float, *, alpha: float = 0.05, power: float = 0.8, sides: int = 2, degrees: float = inf
) -> float:
    """Smallest true difference that is found with probability ``power``: (q_{1-alpha/sides} + z_power) error.

    q is the quantile of Student's t with the error's ``degrees`` of freedom, of the normal for infinite ones.
    """
    return (student_quantile(1 - alpha / sides, degrees) + float(ndtri(power))) * error


def discordance_error(discordance: float, pairs: int, difference: float = 0.0) -> float:
    """Standard error of the difference of paired shares: sqrt((disc - difference^2) / n), disc = (b + c) / n."""
    return sqrt(max(discordance - difference**2, 0.0) / pairs)


def groups_to_detect(
    error: float, groups: int, effect: float, *, alpha: float = 0.05, power: float = 0.8, sides: int = 2
) -> float:
    """Groups with which a true difference ``effect`` is found with probability ``power``; infinite for effect 0."""
    return _needed(error, groups, effect, float(ndtri(1 - alpha / sides) + ndtri(power)))


def groups_to_decide(
    error: float, groups: int, harm: float, margin: float, *, alpha: float = 0.05, power: float = 0.8
) -> float:
    """Groups with which a gate with ``margin`` decides, if the true harm is ``harm``, with probability ``power``.

    n = ((z_{1-alpha} + z_power) s / (margin - harm))^2, s = error sqrt(groups); infinite where the harm equals the
    margin. The decision is pass below the margin and regress above. Give ``alpha`` / m for a regression in a family of
    m metrics.
    """
    return _needed(error, groups, margin - harm, float(ndtri(1 - alpha) + ndtri(power)))


def power_to_decide(error: float, harm: float, margin: float, *, alpha: float = 0.05) -> float:
    """Probability that a gate with ``margin`` decides rightly at this standard error, if the true harm is ``harm``."""
    if error == 0:
        return 1.0 if harm != margin else alpha
    return float(ndtr(abs(margin - harm) / error - ndtri(1 - alpha)))


def _needed(error: float, groups: int, distance: float, quantiles: float) -> float:
    if distance == 0:
        return inf
    return float(max(2, ceil(groups * (quantiles * error / distance) ** 2)))
