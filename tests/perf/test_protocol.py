"""Warm-up and blocks on a virtual clock, where the truth is known."""

from __future__ import annotations

import gc

import pytest

from mmbench.perf.clock import HostClock, VirtualClock
from mmbench.perf.protocol import Block, BlockRule, WarmUpRule, blocks, collector_off, process_value, typical, warm_up

RULE = WarmUpRule(least_s=0.1, window_s=0.05, window_calls=5, cap_s=5)


def test_warm_up_goes_on_until_the_slow_start_is_over(simulated) -> None:
    clock, call = simulated(noise=0.001, cold=300).start(0)
    found = warm_up(call, clock, RULE)
    assert found.steady
    assert found.calls > 280


def test_a_device_that_never_settles_is_told_at_the_cap() -> None:
    """Each call takes half a percent longer than the last."""
    clock, seconds = VirtualClock(), 0.001

    def call() -> None:
        nonlocal seconds
        seconds *= 1.005
        clock.advance(seconds)

    found = warm_up(call, clock, RULE)
    assert not found.steady
    assert found.seconds >= RULE.cap_s


def test_a_recompilation_starts_the_windows_anew() -> None:
    """Ten changes, one every hundred calls: the warm-up cannot end before the last."""
    clock, count = VirtualClock(), 0

    def call() -> None:
        nonlocal count
        count += 1
        clock.advance(0.001)

    assert warm_up(call, clock, RULE, lambda: min(count // 100, 10)).calls > 1000


def test_a_block_ends_with_its_calls_or_its_time(simulated) -> None:
    clock, call = simulated(seconds=0.001, noise=0).start(0)
    by_calls = blocks(call, clock, BlockRule(calls=20, seconds=1, effective=0))
    by_time = blocks(call, clock, BlockRule(calls=20, seconds=0.0055, effective=0))
    assert [len(one.times) for one in by_calls] == [20] * 5
    assert [len(one.times) for one in by_time] == [6] * 5


def test_blocks_go_on_until_the_calls_are_worth_enough_independent_ones(simulated) -> None:
    clock, call = simulated(noise=0.05).start(0)
    few = blocks(call, clock, BlockRule(calls=2, effective=30, most_s=100))
    assert sum(len(one.times) for one in few) >= 30
    clock, call = simulated(noise=1e-9, drift=1e-5).start(0)
    slow = blocks(call, clock, BlockRule(calls=2, effective=30, most_s=1))
    assert clock.time == pytest.approx(1, abs=0.05)
    assert len(slow) > len(few)


def test_a_block_with_a_recompilation_is_void_and_does_not_count() -> None:
    clock, count = VirtualClock(), 0

    def call() -> None:
        nonlocal count
        count += 1
        clock.advance(5.0 if count == 25 else 0.001)

    found = blocks(call, clock, BlockRule(calls=20, seconds=100, effective=0), lambda: int(count >= 25))
    assert [one.invalid for one in found] == ["", "recompiled", "", "", ""]
    assert typical(found) == pytest.approx(0.001)


def test_the_value_of_a_process_is_robust_to_spikes(simulated) -> None:
    """3 % of the calls take three times as long: the median of log times moves by under 1 %."""
    clock, call = simulated(noise=0.02, spikes=0.03).start(0)
    assert typical(blocks(call, clock, BlockRule(least=50))) == pytest.approx(0.002, rel=0.01)


def test_no_valid_block_is_nothing_measured() -> None:
    assert process_value([Block((1.0,), "recompiled")]) != process_value([Block((1.0,), "recompiled")])


def test_the_garbage_collector_is_off_inside_and_as_before_afterwards() -> None:
    assert gc.isenabled()
    with collector_off():
        with collector_off():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    assert gc.get_freeze_count() == 0


def test_the_host_clock_never_wakes_early() -> None:
    clock = HostClock()
    due = clock.now() + 0.004
    clock.wait_until(due)
    assert clock.now() >= due
