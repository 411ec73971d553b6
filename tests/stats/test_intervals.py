"""Intervals against scipy, textbook formulas, and what they do with undefined replicates."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from mmbench.stats.intervals import (
    Interval,
    bca_interval,
    bias_corrected_normal_interval,
    percentile_interval,
    student_interval,
    student_tail,
)
from mmbench.stats.jackknife import Jackknife, leave_one_out


def bounds(interval: Interval) -> tuple[float, float]:
    assert interval.bounds is not None
    return interval.bounds


def test_bounds_are_percentiles() -> None:
    """The central 95 % and 90 % of 0..1000."""
    replicates = np.random.default_rng(0).permutation(1001).astype(np.float64)
    assert bounds(percentile_interval(replicates, 0.95)) == pytest.approx((25.0, 975.0))
    assert bounds(percentile_interval(replicates, 0.9)) == pytest.approx((50.0, 950.0))


@pytest.mark.parametrize(("undefined", "there"), [(0, True), (50, True), (51, False), (1000, False)])
def test_undefined_replicates(undefined: int, there: bool) -> None:
    """Up to the share outside the interval they are left out; beyond it there is no interval, and the reason is."""
    replicates = np.linspace(0, 1, 1000)
    replicates[:undefined] = np.nan
    interval = percentile_interval(replicates, 0.95)
    if there:
        assert bounds(interval) == pytest.approx(np.quantile(replicates[undefined:], [0.025, 0.975]).tolist())
    for found in (
        interval,
        bca_interval(0.7, replicates, 0.0, 0.95),
        bias_corrected_normal_interval(0.7, replicates, 0.95),
    ):
        assert (found.bounds is not None) == there
        assert found.reason == ("" if there else f"undefined in {undefined} of 1000 draws")


@pytest.mark.parametrize("statistic", ["mean", "ratio", "variance"])
@pytest.mark.parametrize("level", [0.9, 0.95])
def test_bca_is_that_of_scipy(statistic: str, level: float) -> None:
    """The same draws give scipy's BCa bounds, with the acceleration from this jackknife."""
    random = np.random.default_rng(5)
    data = random.exponential(1, 40), random.gamma(3, 1, 40)
    functions = {
        "mean": lambda x, y, axis=-1: x.mean(axis=axis) + 0 * y.mean(axis=axis),
        "ratio": lambda x, y, axis=-1: x.sum(axis=axis) / y.sum(axis=axis),
        "variance": lambda x, y, axis=-1: x.var(axis=axis) + 0 * y.sum(axis=axis),
    }
    of = functions[statistic]
    theirs = stats.bootstrap(
        data, of, paired=True, n_resamples=2000, confidence_level=level, method="BCa", rng=np.random.default_rng(0)
    )
    left_out = np.array([of(np.delete(data[0], i), np.delete(data[1], i)) for i in range(40)])
    jackknife = Jackknife(float(of(*data)), left_out)
    ours = bca_interval(jackknife.value, theirs.bootstrap_distribution, jackknife.acceleration, level)
    assert bounds(ours) == pytest.approx(tuple(theirs.confidence_interval), rel=1e-9)


def test_bca_without_bias_and_skew_is_the_percentile_interval() -> None:
    """Symmetric replicates around the value and no acceleration: nothing to correct."""
    replicates = np.linspace(-1, 1, 2001)
    assert bounds(bca_interval(0.0, replicates, 0.0, 0.95)) == pytest.approx(
        bounds(percentile_interval(replicates, 0.95))
    )


def test_bca_where_it_says_nothing() -> None:
    """All draws on one side, or a skewness beyond what the transformation can carry."""
    assert bca_interval(2.0, np.linspace(0, 1, 100), 0.0, 0.95) == Interval(
        None, "all bootstrap draws lie on one side of the value"
    )
    assert bca_interval(0.5, np.linspace(0, 1, 100), 0.9, 0.95).bounds is None
    assert bca_interval(0.5, np.linspace(0, 1, 100), math.nan, 0.95).bounds is None


def test_bca_of_constant_draws_is_a_point() -> None:
    """Draws equal to the value count half on each side."""
    assert bounds(bca_interval(0.5, np.full(100, 0.5), 0.0, 0.95)) == (0.5, 0.5)


def test_bias_corrected_normal_by_hand() -> None:
    """2 value - mean -+ z sd, as R's boot.ci(type = "norm")."""
    replicates = np.array([0.1, 0.4, 0.2, 0.5, 0.3])
    reach = 1.959963984540054 * replicates.std(ddof=1)
    assert bounds(bias_corrected_normal_interval(0.32, replicates, 0.95)) == pytest.approx((0.34 - reach, 0.34 + reach))


@pytest.mark.parametrize("n", [2, 5, 100])
def test_jackknife_t_of_a_mean_is_students_interval(n: int) -> None:
    """The interval of scipy's one-sample t test."""
    values = np.random.default_rng(n).normal(1, 1, n)
    table = np.stack([values, np.ones(n)], axis=1)
    left_out = leave_one_out(table)
    jackknife = Jackknife(float(values.mean()), left_out[:, 0] / left_out[:, 1])
    ours = student_interval(jackknife.value, jackknife.error, n - 1, 0.9)
    assert bounds(ours) == pytest.approx(tuple(stats.ttest_1samp(values, 0).confidence_interval(0.9)), rel=1e-9)


def test_infinite_degrees_are_the_normal() -> None:
    """Student's t with no end of degrees of freedom."""
    assert bounds(student_interval(0.0, 1.0, math.inf, 0.95)) == pytest.approx((-1.959964, 1.959964), abs=1e-6)
    assert student_tail(1.644854, math.inf) == pytest.approx(0.05, abs=1e-6)
    assert student_tail(2.0, 7) == pytest.approx(stats.t.sf(2.0, 7))


@pytest.mark.parametrize(("value", "error", "degrees"), [(math.nan, 1, 5), (0.5, math.nan, 5), (0.5, 1, 0)])
def test_student_where_it_says_nothing(value: float, error: float, degrees: float) -> None:
    """An undefined value or error, or one group: no bounds, and the reason."""
    found = student_interval(value, error, degrees, 0.95)
    assert found.bounds is None
    assert found.reason


def test_clipping() -> None:
    """An interval of a share does not leave 0..1; what is missing stays missing."""
    assert Interval((-0.1, 1.2)).clipped(0, 1) == Interval((0, 1))
    assert Interval((0.2, 0.3)).clipped(0, 1) == Interval((0.2, 0.3))
    assert Interval(None, "why").clipped(0, 1) == Interval(None, "why")
