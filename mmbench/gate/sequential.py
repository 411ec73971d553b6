"""Decisions about ratios that are looked at several times: PASS, REGRESS or INCONCLUSIVE on a log scale.

Harms are log ratios of times, positive where the head is worse; a margin of m percent is ln(1 + m/100). Each look
spends a share of alpha (.10, .15, .20, .25, .30 of it: a union bound, valid under any dependence), and a verdict sticks
at its first crossing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import inf, sqrt
from statistics import fmean, median, stdev

import numpy as np
from scipy.stats import skew

from mmbench.stats.decisions import Outcome, SharedHarm, StudentHarm, Verdict, decide

LOOKS = (6, 10, 16, 24, 36)
SHARES = (0.10, 0.15, 0.20, 0.25, 0.30)
# A pass on odd data needs so many sessions: a rare slow mode of the head would hide from fewer.
ODD_NEEDS = 16
_ODD_SKEW, _ODD_MAD = 1.0, 5.0
# Times are continuous, so that no smallest p of a sign-flip test applies.
_CONTINUOUS = 1000


@dataclass(frozen=True, slots=True)
class Quantity:
    """One compared quantity: its differences by session, the margin on the log scale, None to detect only."""

    name: str
    margin: float | None
    differences: tuple[float, ...] = ()

    @property
    def harm(self) -> StudentHarm:
        """The mean difference with Student's t over sessions."""
        n = len(self.differences)
        error = stdev(self.differences) / sqrt(n) if n > 1 else inf
        return StudentHarm(fmean(self.differences), error, n - 1, _CONTINUOUS)

    @property
    def is_odd(self) -> bool:
        """Whether the differences are skewed, or one lies far out."""
        values = np.array(self.differences)
        spread = float(np.median(np.abs(values - median(self.differences))))
        far = bool((np.abs(values - np.median(values)) > _ODD_MAD * max(spread, 1e-12)).any())
        return far or abs(float(skew(values))) > _ODD_SKEW


def look(
    quantities: Sequence[Quantity],
    settled: Sequence[Verdict | None],
    *,
    number: int,
    alpha_fail: float = 0.05,
    alpha_pass: float = 0.05,
) -> list[Verdict]:
    """The verdicts at look ``number`` (from 0); those of ``settled`` quantities stand."""
    harms = [SharedHarm(quantity.harm, SHARES[number]) for quantity in quantities]
    margins = [quantity.margin for quantity in quantities]
    found = decide(harms, margins, alpha_fail=alpha_fail, alpha_pass=alpha_pass)
    fresh = [_careful(quantity, verdict) for quantity, verdict in zip(quantities, found, strict=True)]
    return [old or new for old, new in zip(settled, fresh, strict=True)]


def is_final(verdict: Verdict) -> bool:
    """Whether more sessions cannot change it."""
    return verdict.outcome in (Outcome.PASS, Outcome.REGRESS)


def _careful(quantity: Quantity, verdict: Verdict) -> Verdict:
    early = len(quantity.differences) < ODD_NEEDS
    if verdict.outcome is Outcome.PASS and early and quantity.is_odd:
        return replace(verdict, outcome=Outcome.INCONCLUSIVE, slip=False)
    return verdict
