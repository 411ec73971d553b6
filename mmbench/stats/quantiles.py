"""Percentiles with what may be said of them: least sample sizes and intervals by order statistics.

The rule of MLPerf inference (early stopping): with ``t`` of n queries over the limit, the percentile is shown to lie
under it when BinomCDF(t; n, 1 - p) <= 0.01. Its least n for t = 1: 64, 130, 662 and 6,636 for p90, p95, p99 and p99.9.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr

Floats = NDArray[np.float64]
# One minus the confidence of the MLPerf rule.
RISK = 0.01


@dataclass(frozen=True, slots=True)
class Quantile:
    """A sample quantile of n values: None with n under ``needed``.

    ``low``/``high``: the binomial interval by order statistics; ``upper``: MLPerf's value, over the quantile with 99 %.
    """

    p: float
    n: int
    needed: int
    value: float | None = None
    low: float | None = None
    high: float | None = None
    upper: float | None = None


@lru_cache
def least_samples(p: float, over: int = 1) -> int:
    """The least n for which ``over`` values above a limit still show that quantile ``p`` (0..1) is under it."""
    low, high = over, over + 1
    while bdtr(over, high, 1 - p) > RISK:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if bdtr(over, middle, 1 - p) > RISK else (low, middle)
    return high


def allowed_over(n: int, p: float) -> int:
    """The most of n values that may lie over a limit which quantile ``p`` is shown to be under; -1 when none may."""
    over = -1
    while over + 1 < n and bdtr(over + 1, n, 1 - p) <= RISK:
        over += 1
    return over


def quantile(values: Floats, p: float, level: float = 0.95) -> Quantile:
    """Quantile ``p`` of independent values [n], with its interval (David and Nagaraja 2003, section 7.1)."""
    n, needed = len(values), least_samples(p)
    if n < needed:
        return Quantile(p, n, needed)
    ordered = np.sort(values)
    low, high = _ranks(n, p, level)
    over = allowed_over(n, p)
    return Quantile(
        p,
        n,
        needed,
        value=float(np.quantile(ordered, p)),
        low=float(ordered[low]),
        high=float(ordered[high]),
        upper=float(ordered[n - over]),
    )


def block_interval(
    series: Sequence[Floats], p: float, level: float = 0.95, *, length: int = 20, draws: int = 500, seed: int = 0
) -> tuple[float, float]:
    """Interval of a quantile of correlated values: the moving-block bootstrap (Kuensch 1989) inside each series.

    Blocks of ``length`` neighbours are drawn anew until a series has its own length.
    """
    random = np.random.Generator(np.random.Philox(key=seed))
    found = [np.quantile(np.concatenate([_redrawn(x, length, random) for x in series]), p) for _ in range(draws)]
    low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _redrawn(values: Floats, length: int, random: np.random.Generator) -> Floats:
    length = min(length, len(values))
    starts = random.integers(0, len(values) - length + 1, -(-len(values) // length))
    drawn: Floats = values[(starts[:, None] + np.arange(length)).ravel()[: len(values)]]
    return drawn


def _ranks(n: int, p: float, level: float) -> tuple[int, int]:
    """Zero-based ranks between which the quantile lies with at least ``level``, where the sample can say so."""
    tail = (1 - level) / 2
    cumulative = bdtr(np.arange(n, dtype=float), n, p)
    low = int(np.searchsorted(cumulative, tail, side="right"))
    high = int(np.searchsorted(cumulative, 1 - tail, side="left")) + 1
    return max(low - 1, 0), min(high, n - 1)
