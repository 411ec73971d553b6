"""Percentile intervals and what they do with undefined replicates."""

from __future__ import annotations

import numpy as np
import pytest

from mmbench.stats.intervals import percentile_interval


def test_bounds_are_percentiles() -> None:
    """The central 95 % and 90 % of 0..1000."""
    replicates = np.random.default_rng(0).permutation(1001).astype(np.float64)
    assert percentile_interval(replicates, 0.95).bounds == pytest.approx((25.0, 975.0))
    assert percentile_interval(replicates, 0.9).bounds == pytest.approx((50.0, 950.0))


@pytest.mark.parametrize(("undefined", "there"), [(0, True), (50, True), (51, False), (1000, False)])
def test_undefined_replicates(undefined: int, there: bool) -> None:
    """Up to the share outside the interval they are left out; beyond it there is no interval."""
    replicates = np.linspace(0, 1, 1000)
    replicates[:undefined] = np.nan
    interval = percentile_interval(replicates, 0.95).bounds
    assert (interval is not None) == there
    if interval is not None:
        assert interval == pytest.approx(np.quantile(replicates[undefined:], [0.025, 0.975]).tolist())
