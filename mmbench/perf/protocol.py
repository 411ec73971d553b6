"""The numbers of the protocol, and the two loops that everything timed goes through: warm-up and blocks of calls."""

from __future__ import annotations

import gc
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import exp, log
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from mmbench.perf.clock import Clock
from mmbench.stats.correlation import effective_size

# Part of the comparability key: a change of the protocol that may change a number raises it.
VERSION = 1
Call = Callable[[], object]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WarmUpRule(_Table):
    """When the steady state is reached: ``windows`` windows in a row whose medians lie within ``tolerance``.

    A window is ``window_s`` seconds and ``window_calls`` calls, whichever is longer. Before, at least ``least_calls``
    and ``least_s``; after ``cap_s`` the warm-up ends as unsteady, which is told, never accepted in silence.
    """

    least_calls: int = 3
    least_s: float = 1.0
    window_s: float = 0.5
    window_calls: int = 20
    windows: int = 3
    tolerance: float = 0.01
    cap_s: float = 60.0


class BlockRule(_Table):
    """A block ends with ``calls`` calls, or after ``seconds`` if that comes first.

    There are at least ``least`` blocks, then more until the calls are worth ``effective`` independent ones, or until
    ``most_s`` seconds are over.
    """

    calls: int = 20
    seconds: float = 0.1
    least: int = 5
    effective: float = 30.0
    most_s: float = 3.0


@dataclass(frozen=True, slots=True)
class WarmUp:
    """How the warm-up went; ``steady`` False: the cap ended it."""

    calls: int
    seconds: float
    steady: bool


@dataclass(frozen=True, slots=True)
class Block:
    """The seconds of each call of a block, and why it is void ("" when it is not)."""

    times: tuple[float, ...]
    invalid: str = ""

    @property
    def log_time(self) -> float:
        """The block's statistic: the median of log times."""
        return statistics.median(map(log, self.times))


def warm_up(call: Call, clock: Clock, rule: WarmUpRule, changes: Callable[[], int] = lambda: 0) -> WarmUp:
    """Calls until the state is steady; ``changes`` counts recompilations, each of which starts the windows anew."""
    start, calls, seen = clock.now(), 0, changes()
    medians: list[float] = []
    while True:
        window = _window(call, clock, rule)
        calls += len(window)
        spent = clock.now() - start
        if changes() != seen:
            seen, medians = changes(), []
            continue
        medians.append(statistics.median(window))
        ready = calls >= rule.least_calls and spent >= rule.least_s
        if ready and _is_steady(medians[-rule.windows :], rule):
            return WarmUp(calls, spent, True)
        if spent >= rule.cap_s:
            return WarmUp(calls, spent, False)


def blocks(
    call: Call, clock: Clock, rule: BlockRule, changes: Callable[[], int] = lambda: 0, hold: float = 0.0
) -> list[Block]:
    """Measured blocks; the garbage collector is off inside. A recompilation voids its block.

    With ``hold`` each block is queued behind so many seconds of other work, which hides the gaps between launches.
    """
    found: list[Block] = []
    start = clock.now()
    with collector_off():
        while not _enough(found, rule, clock.now() - start):
            before = changes()
            times = block(call, clock, rule, hold)
            found.append(Block(times, "recompiled" if changes() != before else ""))
    return found


def block(call: Call, clock: Clock, rule: BlockRule, hold: float = 0.0) -> tuple[float, ...]:
    """Seconds of each call; one synchronisation at the end, so that reading the clock does not wait for the device."""
    marks: list[tuple[Any, Any]] = []
    clock.synchronise()
    if hold:
        clock.hold(hold)
    end = clock.now() + rule.seconds
    while len(marks) < rule.calls and (not marks or clock.now() < end):
        start = clock.mark()
        call()
        marks.append((start, clock.mark()))
    clock.synchronise()
    return tuple(max(clock.seconds(*pair), 1e-12) for pair in marks)


@contextmanager
def collector_off() -> Iterator[None]:
    """Collects once, freezes what is alive, and keeps the garbage collector off; everything is put back at the end.

    Where it is off already, there is nothing to do.
    """
    if not gc.isenabled():
        yield
        return
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.enable()


def process_value(found: list[Block]) -> float:
    """x of a process: the mean of the statistics of its valid blocks, in log seconds; NaN where there is none."""
    values = [one.log_time for one in found if not one.invalid]
    return statistics.fmean(values) if values else float("nan")


def typical(found: list[Block]) -> float:
    """exp(x), seconds."""
    return exp(process_value(found))


def _window(call: Call, clock: Clock, rule: WarmUpRule) -> list[float]:
    one = BlockRule(calls=10**9, seconds=rule.window_s)
    times = list(block(call, clock, one))
    while len(times) < rule.window_calls and sum(times) < 4 * rule.window_s:
        times += block(call, clock, BlockRule(calls=1))
    return times


def _is_steady(medians: list[float], rule: WarmUpRule) -> bool:
    return len(medians) >= rule.windows and max(medians) <= (1 + rule.tolerance) * min(medians)


def _enough(found: list[Block], rule: BlockRule, spent: float) -> bool:
    if len(found) < rule.least:
        return False
    if spent >= rule.most_s:
        return True
    times = np.array([time for one in found if not one.invalid for time in one.times])
    return effective_size(np.log(times)) >= rule.effective
