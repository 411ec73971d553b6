"""Processes as the unit of replication: the estimate over them, and when there are enough.

What differs between two processes of one program (memory layout, placement, the machine's state) is often larger than
what differs between its calls, so that any number of calls of one process says little about the next. With x the mean
log time of a process, the estimate is exp(mean x) and the half-width t s / sqrt(R) is relative as it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, inf, isnan, sqrt
from statistics import fmean, stdev

from mmbench.stats.intervals import student_quantile

# Numbers of processes after which one looks whether they are enough.
LOOKS = (5, 8, 12, 20)
# Relative half-widths of 95 % that are aimed at.
TARGETS = {"dedicated": 0.01, "cpu": 0.02, "shared": 0.03}


@dataclass(frozen=True, slots=True)
class Replicated:
    """exp(mean x) of R processes with its nominal 95 % interval; ``half_width`` is relative, inf for one process."""

    value: float
    low: float
    high: float
    half_width: float
    processes: int


def replicated(values: Sequence[float], level: float = 0.95) -> Replicated:
    """From the mean log times of processes, without those that measured nothing (NaN); raises ValueError on none."""
    known = [x for x in values if not isnan(x)]
    if not known:
        raise ValueError("no process has measured anything")
    mean, half = fmean(known), half_width(known, level)
    ends = (0.0, inf) if half == inf else (exp(mean - half), exp(mean + half))
    return Replicated(exp(mean), *ends, half, len(known))


def half_width(values: Sequence[float], level: float = 0.95) -> float:
    """t s / sqrt(R) of log times: a relative half-width."""
    if len(values) < 2:
        return inf
    return student_quantile((1 + level) / 2, len(values) - 1) * stdev(values) / sqrt(len(values))


def is_enough(series: Sequence[Sequence[float]], target: float, looks: Sequence[int] = LOOKS) -> bool:
    """Whether each series (one per quantity, a value per process) is known to ``target``; asked at the looks alone."""
    done = min(map(len, series), default=0)
    if done not in looks:
        return False
    return done >= max(looks) or all(half_width(values) <= target for values in series)
