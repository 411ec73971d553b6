"""What the harness costs: a block around a call, and the quantiles of many calls."""

from __future__ import annotations

import numpy as np

from mmbench.perf.clock import HostClock
from mmbench.perf.protocol import BlockRule, block
from mmbench.stats.quantiles import quantile


def test_a_block_of_empty_calls(benchmark) -> None:
    """Twenty calls that do nothing: what is left is ours. Calls of 1 ms would take 20 ms."""
    rule = BlockRule(calls=20, seconds=1)
    times = benchmark(lambda: block(lambda: None, HostClock(), rule))
    assert len(times) == 20
    if not benchmark.disabled:
        assert benchmark.stats.stats.median < 0.02 * 20e-3


def test_percentiles_of_ten_thousand_calls(benchmark) -> None:
    values = np.random.default_rng(0).lognormal(size=10_000)
    found = benchmark(lambda: [quantile(values, p) for p in (0.9, 0.95, 0.99)])
    assert all(one.low < one.value < one.high for one in found)
