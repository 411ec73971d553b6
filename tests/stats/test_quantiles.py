"""Percentiles: least sample sizes as MLPerf publishes them, intervals that hold what they say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from mmbench.stats.quantiles import allowed_over, block_interval, least_samples, quantile


@pytest.mark.parametrize(
    ("p", "sizes"),
    [(0.90, (44, 64, 197)), (0.95, (90, 130, 398)), (0.99, (459, 662, 2010)), (0.999, (4603, 6636, 20140))],
)
def test_least_samples_are_those_of_the_mlperf_rule(p: float, sizes: tuple[int, int, int]) -> None:
    """For 0, 1 and 10 values over the limit."""
    assert tuple(least_samples(p, over) for over in (0, 1, 10)) == sizes


@given(st.integers(1, 3000), st.sampled_from([0.9, 0.95, 0.99]))
def test_allowed_over_is_the_largest_that_the_binomial_allows(n: int, p: float) -> None:
    over = allowed_over(n, p)
    assert over == -1 or binom.cdf(over, n, 1 - p) <= 0.01
    assert over + 1 >= n or binom.cdf(over + 1, n, 1 - p) > 0.01


def test_a_percentile_of_too_few_values_is_not_given() -> None:
    found = quantile(np.arange(661.0), 0.99)
    assert (found.value, found.low, found.upper, found.needed) == (None, None, None, 662)
    assert quantile(np.arange(662.0), 0.99).value == pytest.approx(654.39)


def test_interval_and_upper_value_cover_the_true_quantile() -> None:
    """Of 2,000 samples of 200 exponential values: the interval at least 95 %, MLPerf's value at least 99 % of them."""
    random = np.random.default_rng(1)
    truth = -np.log(0.1)
    found = [quantile(random.exponential(size=200), 0.9) for _ in range(2000)]
    assert np.mean([one.low <= truth <= one.high for one in found]) >= 0.94
    assert np.mean([truth <= one.upper for one in found]) >= 0.985


def test_the_block_interval_is_wider_where_neighbours_are_alike() -> None:
    """The same values in random order and as a slow series: order statistics would say the same of both."""
    random = np.random.default_rng(3)
    slow = np.convolve(random.normal(size=2020), np.ones(21), "valid")
    mixed = random.permutation(slow)
    widths = [high - low for low, high in (block_interval([x], 0.9, length=60) for x in (slow, mixed))]
    assert widths[0] > 2 * widths[1]
    assert block_interval([slow], 0.9) == block_interval([slow], 0.9)
