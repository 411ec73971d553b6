"""Which interval method belongs to which kind of metric, by what the coverage simulation shows, and that interval."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mmbench.stats import intervals, proportions
from mmbench.stats.intervals import Interval
from mmbench.stats.jackknife import Jackknife

Floats = NDArray[np.float64]
Kind = Literal["proportion", "mean", "sums", "weighted"]
Quantity = Literal["score", "difference"]


class Method(StrEnum):
    """Names of interval methods, as they stand in an estimate."""

    WILSON = "wilson"
    TANGO = "tango"
    JACKKNIFE_T = "jackknife-t"
    TWO_WAY_T = "two-way-t"
    PERCENTILE = "bootstrap-percentile"
    NONE = "none"


def choose_method(
    kind: Kind, quantity: Quantity, *, groups: int, seeds: int = 1, few_instances: bool = False
) -> Method:
    """TABLE"""
    if groups < 2:
        return Method.NONE
    if seeds > 1:
        return Method.TWO_WAY_T
    if kind == "proportion":
        return Method.WILSON if quantity == "score" else Method.TANGO
    if few_instances and quantity == "score":
        return Method.PERCENTILE
    return Method.JACKKNIFE_T


def interval(
    method: Method,
    level: float,
    *,
    jackknife: Jackknife | None = None,
    replicates: Floats | None = None,
    share: tuple[int, int] | None = None,
    pairs: tuple[int, int, int] | None = None,
) -> Interval:
    """The interval of a method from what it reads; raises ValueError when that was not given.

    ``jackknife-t`` reads the jackknife (of the score, or of the difference), ``bootstrap-percentile`` the replicates
    [draws], ``wilson`` the share (right, samples), ``tango`` the pairs (first side alone right, second alone, samples).
    ``two-way-t`` has its own standard error: ``intervals.student_interval`` of ``seeds.two_way``.
    """
    if method is Method.NONE:
        return Interval(None, "all samples are of one group")
    if method is Method.JACKKNIFE_T and jackknife is not None:
        return intervals.student_interval(jackknife.value, jackknife.error, jackknife.groups - 1, level)
    if method is Method.PERCENTILE and replicates is not None:
        return intervals.percentile_interval(replicates, level)
    if method is Method.WILSON and share is not None:
        return proportions.wilson_interval(*share, level)
    if method is Method.TANGO and pairs is not None:
        return proportions.tango_interval(*pairs, level)
    raise ValueError(f"the interval method {method.value!r} lacks what it reads")
