"""The arithmetic of a gate: harm, margin, three outcomes.

Harm is oriented so that positive is worse (base - head where higher is better). With one-sided bounds L and U of the
harm: PASS where U is under the margin, REGRESS where L is over it, else INCONCLUSIVE. It is one boundary tested from
both sides: P(REGRESS) <= alpha for any true harm up to the margin, P(PASS) <= alpha for any at or above it. Without a
margin (detect mode) a metric is REGRESS where L is over 0, else NOT_DETECTED, and U says what cannot be excluded.

Over a family REGRESS is claimed by Holm at ``alpha_fail``; that all metrics pass is an intersection-union test, each at
``alpha_pass`` without correction (Berger 1982).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf, isnan
from typing import Protocol

import numpy as np

from mmbench.stats import proportions
from mmbench.stats.intervals import student_quantile, student_tail
from mmbench.stats.multiple import holm, holm_levels
from mmbench.stats.permutation import TypicalValues

# Below these discordant samples the exact test takes the score test's place.
FEW_DISCORDANT = 25
# A smaller acceleration changes nothing but rounding.
_STRAIGHT = 1e-9
# How exactly bounds are found.
_ROUNDING = 1e-7


class Outcome(StrEnum):
    """What is known of one metric."""

    PASS = "pass"  # noqa: S105 - an outcome, no password
    REGRESS = "regress"
    INCONCLUSIVE = "inconclusive"
    NOT_DETECTED = "not-detected"


class Harm(Protocol):
    """What was measured of a harm: the estimate, and the same one-sided tests as bounds and as p-values."""

    @property
    def value(self) -> float:
        """The estimated harm."""

    def lower(self, alpha: float) -> float:
        """Lower bound of level 1 - alpha; over ``margin`` where p_over(margin) is below alpha."""

    def upper(self, alpha: float) -> float:
        """Upper bound of level 1 - alpha; under ``margin`` where p_under(margin) is below alpha."""

    def p_over(self, margin: float) -> float:
        """p of "the harm is at most ``margin``": small where the harm is proven to be larger."""

    def p_under(self, margin: float) -> float:
        """p of "the harm is at least ``margin``": small where the harm is proven to be smaller."""


@dataclass(frozen=True, slots=True)
class StudentHarm:
    """A harm with a standard error and Student's t: means, corpus metrics by the jackknife, two-way seeds.

    ``acceleration`` (``Jackknife.acceleration``, a sixth of the skewness of the mean) is that of skewed groups, where a
    harm of the margin would pass in 8 % of runs of 40 groups. Every p and bound is the more careful one of Student's
    and of that with t corrected by Hall's cubic, g(t) = ((1 + 2at)^3 - 1) / 6a + a (Hall 1992, "On the removal of
    skewness by transformation"), which alone finds changes in unchanged models too often.

    ``value`` or ``error`` NaN, or no degree of freedom, proves nothing. However small the error (constant differences),
    no p is below 2**-groups, the smallest that a sign-flip test of the groups of samples can give.
    """

    value: float
    error: float
    degrees: float
    groups: int
    acceleration: float = 0.0

    def lower(self, alpha: float) -> float:
        """Where p_over is alpha."""
        return -inf if self._is_mute(alpha) else self.value - max(self._reaches(1 - alpha))

    def upper(self, alpha: float) -> float:
        """Where p_under is alpha."""
        return inf if self._is_mute(alpha) else self.value - min(self._reaches(alpha))

    def p_over(self, margin: float) -> float:
        """Student's t test of harm <= margin."""
        return self._tail(self.value - margin, 1.0)

    def p_under(self, margin: float) -> float:
        """Student's t test of harm >= margin."""
        return self._tail(self.value - margin, -1.0)

    def _reaches(self, probability: float) -> tuple[float, float]:
        """How far below the value what is tested lies where t, and the corrected t, are this quantile."""
        quantile, a = student_quantile(probability, self.degrees), self.acceleration
        if abs(a) < _STRAIGHT:
            return quantile * self.error, quantile * self.error
        return quantile * self.error, self.error * float(np.cbrt(1 + 6 * a * (quantile - a)) - 1) / (2 * a)

    def _tail(self, distance: float, side: float) -> float:
        """p of the value being so far above (side 1) or below (-1) what is tested."""
        if self._is_mute(1.0):
            return 1.0
        if self.error == 0:
            return self._floor if distance * side > 0 else 1.0
        t, a = distance / self.error, self.acceleration
        corrected = t if abs(a) < _STRAIGHT else ((1 + 2 * a * t) ** 3 - 1) / (6 * a) + a
        return max(student_tail(side * t, self.degrees), student_tail(side * corrected, self.degrees), self._floor)

    def _is_mute(self, alpha: float) -> bool:
        return isnan(self.value) or isnan(self.error) or self.degrees <= 0 or alpha < self._floor

    @property
    def _floor(self) -> float:
        return float(2.0 ** -min(self.groups, 1074))


@dataclass(frozen=True, slots=True)
class BinaryHarm:
    """A harm of ``pairs`` samples that are right or wrong: ``losses`` right on the base alone, ``gains`` on the head.

    Tango's score test. With under 25 discordant samples p_over is the exact unconditional one of that test, as the
    approximation then finds regressions too often (up to 0.068 at 0.05); and with no loss the upper bound is at least
    1 - alpha**(1/pairs), the exact one of the share of losses.
    """

    losses: int
    gains: int
    pairs: int

    @property
    def value(self) -> float:
        """(losses - gains) / pairs."""
        return (self.losses - self.gains) / self.pairs

    def lower(self, alpha: float) -> float:
        """Where p_over is alpha."""
        if not self._is_few:
            return -proportions.tango_bound(self.gains, self.losses, self.pairs, alpha)
        return proportions.crossing(lambda margin: alpha - self.p_over(margin), -1.0, self.value, steps=30)

    def upper(self, alpha: float) -> float:
        """Tango's bound, or that of no loss."""
        bound = proportions.tango_bound(self.losses, self.gains, self.pairs, alpha)
        return bound if self.losses else max(bound, 1 - alpha ** (1 / self.pairs))

    def p_over(self, margin: float) -> float:
        """Score test of losses - gains <= margin, exact for few discordant samples."""
        test = proportions.tango_exact_p if self._is_few else proportions.tango_p
        return test(self.gains, self.losses, self.pairs, -margin)

    def p_under(self, margin: float) -> float:
        """Score test of losses - gains >= margin."""
        p = proportions.tango_p(self.losses, self.gains, self.pairs, margin)
        return p if self.losses else max(p, (1 - margin) ** self.pairs if margin > 0 else 1.0)

    @property
    def _is_few(self) -> bool:
        return self.losses + self.gains < FEW_DISCORDANT


@dataclass(frozen=True, slots=True)
class SignFlipHarm:
    """The harm of a mean over few groups, by flipping the signs of groups: ``value`` and its typical values."""

    value: float
    typical: TypicalValues

    def lower(self, alpha: float) -> float:
        """The mean over subsets of groups that has p_over alpha."""
        return self.typical.bound(alpha, "lower")

    def upper(self, alpha: float) -> float:
        """The mean over subsets of groups that has p_under alpha."""
        return self.typical.bound(alpha, "upper")

    def p_over(self, margin: float) -> float:
        """Sign-flip test of harm <= margin."""
        return self.typical.p_above(margin)

    def p_under(self, margin: float) -> float:
        """Sign-flip test of harm >= margin."""
        return self.typical.p_below(margin)


@dataclass(frozen=True, slots=True)
class SharedHarm:
    """A harm whose tests spend a ``share`` (0..1) of each alpha; with none left it proves nothing."""

    harm: Harm
    share: float

    @property
    def value(self) -> float:
        """The estimated harm."""
        return self.harm.value

    def lower(self, alpha: float) -> float:
        """The bound at the share of alpha."""
        return self.harm.lower(alpha * self.share) if self.share else float("-inf")

    def upper(self, alpha: float) -> float:
        """The bound at the share of alpha."""
        return self.harm.upper(alpha * self.share) if self.share else float("inf")

    def p_over(self, margin: float) -> float:
        """p divided by the share, at most 1."""
        return min(1.0, self.harm.p_over(margin) / self.share) if self.share else 1.0

    def p_under(self, margin: float) -> float:
        """p divided by the share, at most 1."""
        return min(1.0, self.harm.p_under(margin) / self.share) if self.share else 1.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one metric of a family.

    ``p`` is Holm's adjusted p of the regression; ``lower`` is of the level at which Holm tested it, so that it lies
    over the margin (0 without one) where the outcome is REGRESS; ``upper`` is of level 1 - alpha_pass. ``slip``: a drop
    that is proven and tolerated, L > 0 with PASS.
    """

    outcome: Outcome
    harm: float
    lower: float
    upper: float
    p: float
    slip: bool


def decide(
    harms: Sequence[Harm], margins: Sequence[float | None], *, alpha_fail: float = 0.05, alpha_pass: float = 0.05
) -> list[Verdict]:
    """The verdict of each metric of a family; ``margins`` are not negative, None is detect mode.

    Raises ValueError for a negative margin.
    """
    if any(margin is not None and not margin >= 0 for margin in margins):
        raise ValueError(f"margins are the tolerated harm and not negative, found {margins}")
    p_values = np.array([harm.p_over(margin or 0.0) for harm, margin in zip(harms, margins, strict=True)])
    adjusted, levels = holm(p_values), holm_levels(p_values, alpha_fail)
    return [
        _verdict(harm, margin, float(p), float(level), alpha_fail, alpha_pass)
        for harm, margin, p, level in zip(harms, margins, adjusted, levels, strict=True)
    ]


def _verdict(harm: Harm, margin: float | None, p: float, level: float, alpha_fail: float, alpha_pass: float) -> Verdict:
    lower, upper = harm.lower(level), harm.upper(alpha_pass)
    # The exact test of few discordant samples wavers next to alpha: what is claimed must hold by the bound shown, too.
    if p <= alpha_fail and lower > (margin or 0.0) - _ROUNDING:
        outcome = Outcome.REGRESS
    elif margin is None:
        outcome = Outcome.NOT_DETECTED
    else:
        outcome = Outcome.PASS if harm.p_under(margin) <= alpha_pass else Outcome.INCONCLUSIVE
    return Verdict(outcome, harm.value, lower, upper, p, slip=outcome is Outcome.PASS and lower > 0)
