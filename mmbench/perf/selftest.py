"""``mmbench selftest timing``: is the harness right on this machine? T1 to T10 of docs/measuring.md.

Each check gives what it found, what it expects, and whether that holds; one that needs a GPU says so where there is
none. Calls that are compared are made in turns, and the fastest of each count: others may take the processor, and only
ever add time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import exp, log
from statistics import fmean

import numpy as np

from mmbench.perf.clock import HostClock, VirtualClock
from mmbench.perf.liars import works_on
from mmbench.perf.protocol import BlockRule, WarmUpRule, block, blocks, collector_off, process_value, warm_up
from mmbench.perf.replication import replicated
from mmbench.runner.memory import peak_rss_mib, reset_peak

_MIB = 2**20


@dataclass(frozen=True, slots=True)
class Check:
    """One check; ``right`` None where it could not be made, with the reason in ``found``."""

    name: str
    found: str
    expected: str
    right: bool | None


def check_timing() -> Iterator[Check]:
    """The checks of a CPU, then those of a GPU."""
    with collector_off():
        yield virtual_clock()
        yield busy_wait()
        yield cached_output()
        yield early_return()
        yield linearity()
        yield monitors()
        yield known_size()
        yield injected()
    yield from _gpu_checks()


def virtual_clock(runs: int = 200, processes: int = 5) -> Check:
    """T1: on a simulated device with a cold start, spikes and process effects the true time is found."""
    truth, logs, inside = 0.002, [], 0
    for run in range(runs):
        random = np.random.Generator(np.random.Philox(key=run))
        values = [_simulated(truth, random) for _ in range(processes)]
        found = replicated(values)
        logs.append(log(found.value / truth))
        inside += found.low <= truth <= found.high
    bias, share = abs(fmean(logs)), inside / runs
    return Check(
        "T1 virtual clock",
        f"bias {bias:.2%}, coverage {share:.0%}",
        "bias under 0.2%, coverage 91-99%",
        bias < 0.002 and 0.91 <= share <= 0.99,
    )


def busy_wait(seconds: float = 0.002) -> Check:
    """T2: a wait of known length; the fastest of many calls, as others may take the processor."""
    clock = HostClock()
    found = min(block(lambda: _wait(seconds), clock, BlockRule(calls=50, seconds=1)))
    error = abs(found - seconds)
    return Check(
        "T2 busy wait",
        f"{1e6 * found:.1f} us",
        f"{1e6 * seconds:.0f} us within 1% + 1 us",
        error <= 0.01 * seconds + 1e-6,
    )


def cached_output() -> Check:
    """T6: a module that answers from a cache is told by its answers, which are those of other inputs."""
    try:
        from mmbench.perf.selftest_liars import is_told
    except ImportError:
        return Check("T6 kept answer", "torch is not installed", "True, False", None)
    caught, honest = is_told(lies=True), is_told(lies=False)
    return Check("T6 kept answer", f"caught {caught}, honest one {honest}", "True, False", caught and not honest)


def early_return() -> Check:
    """T6: a workload that returns before its work is done leaves the process busy; an honest one does not."""
    thread = threading.Thread(target=_wait, args=(0.5,))
    honest = works_on(lambda: _wait(0.001))
    caught = works_on(thread.start, calm=0.02)
    # It must not disturb the next check.
    thread.join()
    return Check("T6 early return", f"caught {caught}, honest one {honest}", "True, False", caught and not honest)


def linearity(rounds: int = 40) -> Check:
    """T7: twice the work takes twice the time; ratio of the fastest calls, made in turns."""
    clock = HostClock()
    one, two = _in_turns(lambda: _wait(0.001), lambda: _wait(0.001, 2), clock, rounds)
    ratio = min(two) / min(one)
    return Check("T7 linearity", f"{ratio:.3f}", "2.00 within 2%", abs(ratio - 2) <= 0.04)


def monitors(rounds: int = 300) -> Check:
    """T8: what a block costs beside the calls themselves; 1 ms calls, alone and inside a block, in turns."""
    clock, rule = HostClock(), BlockRule(calls=2, seconds=1)

    def plain() -> float:
        start = time.perf_counter()
        for _ in range(rule.calls):
            _wait(0.001)
        return time.perf_counter() - start

    def measured() -> float:
        start = time.perf_counter()
        block(lambda: _wait(0.001), clock, rule)
        return time.perf_counter() - start

    both = [(plain(), measured()) if i % 2 else (measured(), plain())[::-1] for i in range(rounds)]
    ratio = min(b for _, b in both) / min(a for a, _ in both)
    return Check("T8 overhead", f"{ratio - 1:+.2%}", "under 2% of calls of 1 ms", ratio - 1 < 0.02)


def known_size(mib: int = 64) -> Check:
    """T9: a block of known size is in the peak."""
    if not reset_peak():
        return Check("T9 memory", "this system cannot set the peak back", f"{mib} MiB", None)
    before = peak_rss_mib()
    kept = np.ones(mib * _MIB // 8)
    grown = peak_rss_mib() - before
    return Check("T9 memory", f"{grown:.1f} MiB", f"{kept.nbytes // _MIB} MiB within 2", abs(grown - mib) <= 2)


def injected(rounds: int = 60) -> Check:
    """T10: the same work twice, and work with 25 % more."""
    clock = HostClock()
    same = _ratio(lambda: _work(100), lambda: _work(100), clock, rounds)
    more = _ratio(lambda: _work(100), lambda: _work(125), clock, rounds)
    right = abs(same - 1) < 0.05 and abs(more - 1.25) < 0.06
    return Check("T10 A/A and +25%", f"{same:.3f} and {more:.3f}", "1 and 1.25 within 5%", right)


def _simulated(truth: float, random: np.random.Generator) -> float:
    clock, calls = VirtualClock(), 0
    own = truth * np.exp(0.01 * random.normal())

    def call() -> None:
        nonlocal calls
        calls += 1
        slow = 1 + max(0, 8 - calls) / 4
        spike = 3.0 if random.random() < 0.02 else 1.0
        clock.advance(own * slow * spike * exp(0.02 * random.normal()))

    warm_up(call, clock, WarmUpRule(least_s=0.02, window_s=0.01, window_calls=5, cap_s=0.2, tolerance=0.05))
    return process_value(blocks(call, clock, BlockRule(calls=5, seconds=1, effective=0)))


def _ratio(first: Callable[[], object], other: Callable[[], object], clock: HostClock, rounds: int) -> float:
    one, two = _in_turns(first, other, clock, rounds)
    return min(two) / min(one)


def _in_turns(
    first: Callable[[], object], other: Callable[[], object], clock: HostClock, rounds: int
) -> tuple[list[float], list[float]]:
    """Seconds of each, AB BA AB BA."""
    found: tuple[list[float], list[float]] = ([], [])
    calls, single = (first, other), BlockRule(calls=1)
    for index in range(rounds):
        for side in (0, 1) if index % 2 else (1, 0):
            found[side].extend(block(calls[side], clock, single))
    return found


def _wait(seconds: float, times: int = 1) -> None:
    for _ in range(times):
        end = time.perf_counter_ns() + int(seconds * 1e9)
        while time.perf_counter_ns() < end:
            pass


_MATRIX = np.ones((64, 64), np.float32)


def _work(products: int = 150) -> None:
    for _ in range(products):
        _MATRIX @ _MATRIX


def _gpu_checks() -> Iterator[Check]:
    from mmbench.perf.nvml import library

    if library() is None:
        yield Check(
            "T2-T9 on a GPU", "there is no GPU here", "known kernel, do_bench, copy, product, side stream, tensor", None
        )
        return
    from mmbench.perf.selftest_gpu import check_gpu

    yield from check_gpu()
