"""Processes as the unit: the interval, and when there are enough."""

from __future__ import annotations

from math import exp, inf, log, nan

import numpy as np
import pytest

from mmbench.perf.protocol import BlockRule, WarmUpRule, blocks, process_value, warm_up
from mmbench.perf.replication import LOOKS, half_width, is_enough, replicated

QUICK = WarmUpRule(least_s=0.02, window_s=0.01, window_calls=5, cap_s=0.2, tolerance=0.05)


def test_the_interval_is_that_of_student_on_log_times() -> None:
    """Hand-computed: x = ln 1, ln 2; mean ln sqrt 2, s = ln 2 / sqrt 2, t(1) = 12.706."""
    found = replicated([0.0, log(2)])
    assert found.value == pytest.approx(2**0.5)
    assert found.half_width == pytest.approx(12.7062 * log(2) / 2, rel=1e-4)
    assert found.high == pytest.approx(exp(0.5 * log(2) + found.half_width))


def test_one_process_has_no_interval_and_none_is_an_error() -> None:
    assert replicated([0.0, nan]).half_width == inf
    with pytest.raises(ValueError, match="no process"):
        replicated([nan])


def test_one_looks_at_the_looks_alone() -> None:
    """Equal times are enough at 5, 8, 12, 20 processes and not asked about in between; wild ones end at 20."""
    assert [n for n in range(1, 21) if is_enough([[0.0] * n], 0.01)] == list(LOOKS)
    wild = [float((-1) ** i) for i in range(20)]
    assert [n for n in range(1, 21) if is_enough([wild[:n]], 0.01)] == [20]
    assert not is_enough([[0.0] * 5, wild[:5]], 0.01)
    assert not is_enough([], 0.01)


def test_half_width_is_relative() -> None:
    """Times ten times as long have the same half-width."""
    times = np.random.default_rng(0).lognormal(0, 0.1, 9)
    assert half_width(list(np.log(times))) == pytest.approx(half_width(list(np.log(10 * times))))


def test_the_whole_protocol_recovers_the_true_time(simulated, monkeypatch: pytest.MonkeyPatch) -> None:
    """T1: 1,000 runs on a simulated device with a cold start, spikes, drift and processes that differ by 1 %.

    Bias under 0.2 % and a coverage of 93 to 97 %; the processes are five, so that the interval is not chosen by data.
    """
    monkeypatch.setattr("gc.isenabled", lambda: False)  # 5,000 collections take minutes and change no virtual time
    truth, rule = 0.002, BlockRule(calls=5, seconds=1, effective=0)
    inside, logs = [], []
    for run in range(1000):
        device = simulated(seconds=truth, noise=0.02, spikes=0.02, cold=8, process=0.01, seed=run)
        values = []
        for number in range(5):
            clock, call = device.start(number)
            warm_up(call, clock, QUICK)
            values.append(process_value(blocks(call, clock, rule)))
        found = replicated(values)
        inside.append(found.low <= truth <= found.high)
        logs.append(log(found.value / truth))
    assert abs(np.mean(logs)) < 0.002
    assert 0.93 <= np.mean(inside) <= 0.97
