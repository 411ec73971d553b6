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
    """The method whose nominal 95 % interval holds the truth most nearly as often as it says.

    ``kind``: "proportion" (right or wrong, every sample its own group), "mean" (of samples, also in groups), "sums" (a
    function of summed rows: mIoU, F1, BLEU), "weighted" (AP). ``few_instances``: a class is in under 20 samples.
    ``groups`` is the number of groups of samples, ``seeds`` that of training seeds, crossed with them.

    Evidence: coverage in % of the expected score on sets of n samples (tests/stats/coverage_report.py). 2,000 made test
    sets a cell, 1,000 at n = 5,000 (AP: 2,000, 1,000, 400); the standard error of a cell is 0.5 to 1.1. For grouped
    accuracy n = 200 is 50 groups.

    | n = 200 / 1,000 / 5,000 | differences | percentile, BCa there | scores |
    |---|---|---|---|
    | accuracy (Tango, Wilson) | 95.7 / 95.1 / 95.3 | 94.8, 94.0 at 200 | 94.2 / 94.5 / 94.2 |
    | grouped accuracy (jackknife-t) | 93.9 / 94.7 / 94.1 | 92.2, 91.6 at 200 | 93.7 / 95.2 / 95.8 |
    | CIDEr-like mean (jackknife-t) | 95.2 / 95.0 / 95.5 | 94.2, 93.9 at 200 | 94.2 / 94.9 / 95.2 |
    | mIoU (jackknife-t) | 94.9 / 95.4 / 94.0 | 93.5, 91.4 at 200 | 94.0 / 95.0 / 95.5 |
    | macro-F1 (jackknife-t) | 94.7 / 95.2 / 95.7 | 93.6, 93.5 at 200 | 94.7 / 95.1 / 95.0 |
    | BLEU (jackknife-t) | 95.5 / 94.8 / 95.8 | 95.2, 95.1 at 200 | 95.2 / 95.6 / 93.4 |
    | AP (jackknife-t, 100 blocks) | 96.0 / 94.2 / 93.5 | 94.8, 94.2 at 200 | 94.8 / 93.8 / 96.2 |
    | seeds K = 3, 5, 10 (two-way-t, n = 300) | 93.4 to 96.1 | 83.8 to 99.6 crossed | 93.0 to 95.7 |

    With a class in few samples the score of a corpus metric is skewed and no method keeps its level at n = 200:
    macro-F1 86.1 (jackknife-t), 92.0 (percentile), mIoU 93.8 and 91.2; the percentile interval has the better worst
    case. In differences it cancels (95.1 to 96.3). These carry a flag and no claim.
    """
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
