"""The open loop: overload shows, although the server answers each query as fast as ever."""

from __future__ import annotations

import numpy as np
import pytest

from mmbench.perf.clock import VirtualClock
from mmbench.perf.server import measure_server, schedule, trial

SERVICE = 0.01


def served(clock: VirtualClock, seconds: float = SERVICE):
    return lambda: clock.advance(seconds)


def test_the_schedule_is_poisson_and_its_own() -> None:
    """Gaps are exponential: mean and standard deviation 1/rate. The same seed gives the same pattern at every rate."""
    gaps = np.diff(schedule(100, 20_000, seed=3))
    assert gaps.mean() == pytest.approx(0.01, rel=0.03)
    assert gaps.std() == pytest.approx(0.01, rel=0.03)
    assert schedule(50, 10, 1) == pytest.approx(2 * schedule(100, 10, 1))


def test_latency_counts_from_the_scheduled_arrival() -> None:
    """At twice the capacity the last query waits for half of the run; a closed loop would see 10 ms."""
    clock = VirtualClock()
    found = trial(served(clock), clock, rate=2 / SERVICE, queries=1000, seed=0)
    assert found.latency[-1] == pytest.approx(1000 * SERVICE / 2, rel=0.15)
    assert found.latency[0] == pytest.approx(SERVICE)


def test_the_wait_is_that_of_the_queue_with_constant_service() -> None:
    """M/D/1 (Pollaczek-Khinchine): the mean wait is rho s / (2 (1 - rho)); half of s at a load of one half."""
    clock = VirtualClock()
    found = trial(served(clock), clock, rate=0.5 / SERVICE, queries=50_000, seed=1)
    assert found.latency.mean() == pytest.approx(1.5 * SERVICE, rel=0.03)


def test_the_rate_found_passes_and_a_higher_one_does_not() -> None:
    clock = VirtualClock()
    found = measure_server(served(clock), clock, SERVICE, slo=3 * SERVICE, queries=2000)
    assert found.rate is not None
    assert 0.5 / SERVICE < found.rate < 1 / SERVICE
    assert found.goodput == pytest.approx(found.rate, rel=0.1)
    over = trial(served(clock), clock, found.rate * 1.25, 2000, 0)
    assert not over.passes(3 * SERVICE, 0.9)


def test_an_slo_under_the_service_time_has_no_rate() -> None:
    clock = VirtualClock()
    found = measure_server(served(clock), clock, SERVICE, slo=SERVICE / 2, queries=128)
    assert (found.rate, found.goodput) == (None, None)
    assert "no rate" in found.reason


def test_no_rate_is_tried_that_takes_longer_than_there_is_time() -> None:
    """128 requests at half of the capacity take 2.56 s, at three quarters 1.7 s: the first rate alone fits 3 s."""
    clock = VirtualClock()
    found = measure_server(served(clock), clock, SERVICE, queries=128, most=3)
    assert found.rate == pytest.approx(0.5 / SERVICE)
    assert clock.time <= 3
    none = measure_server(served(clock), clock, SERVICE, queries=128, most=1)
    assert none.rate is None
    assert "the budget leaves" in none.reason


def test_a_client_that_is_late_itself_is_the_bottleneck() -> None:
    """A clock that wakes up 2 ms late for an SLO of 20 ms."""

    class Late(VirtualClock):
        def wait_until(self, moment: float) -> None:
            super().wait_until(moment + 0.002)

    clock = Late()
    found = measure_server(served(clock), clock, SERVICE, slo=2 * SERVICE, queries=128)
    assert found.rate is None
    assert "bottleneck" in found.reason
