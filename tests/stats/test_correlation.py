"""What correlated values are worth."""

from __future__ import annotations

import numpy as np
import pytest

from mmbench.stats.correlation import effective_size, lag_one


def test_correlated_values_are_worth_fewer() -> None:
    random = np.random.default_rng(2)
    white = random.normal(size=4000)
    slow = np.convolve(random.normal(size=4100), np.ones(10), "valid")[:4000]
    assert effective_size(white) == pytest.approx(4000, rel=0.1)
    assert lag_one(slow) == pytest.approx(0.9, abs=0.03)
    assert effective_size(slow) < 400
    assert effective_size(np.ones(7)) == 7
