"""A sweep of batch sizes in one process: where it ends, and work that the times do not hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mmbench.perf import replicate as module
from mmbench.perf.clock import VirtualClock
from mmbench.perf.liars import works_beside
from mmbench.perf.protocol import BlockRule, WarmUpRule
from mmbench.perf.ready import Ready
from mmbench.perf.replicate import replicate
from mmbench.perf.request import Cold, Request, Rules, Subject, Sweep
from mmbench.perf.workload import Workload

SHORT = WarmUpRule(least_s=0.01, window_s=0.01, window_calls=2, cap_s=1, tolerance=0.5)
RULES = Rules(
    first_warm_up=SHORT, warm_up=SHORT, blocks=BlockRule(calls=3, seconds=1, effective=0, most_s=1), offline_s=0.1
)
SIZES = (1, 2, 4, 8, 16, 32)


@pytest.fixture(autouse=True)
def _no_real_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process is not watched at rest, and no garbage is collected: that takes real time."""
    monkeypatch.setattr(module, "works_on", lambda _: False)
    monkeypatch.setattr("gc.isenabled", lambda: False)


def ready(seconds: Callable[[int], float], clock: VirtualClock, device: str = "cpu") -> Ready:
    """A subject whose call of a batch takes ``seconds`` of the batch size."""

    def load(batch: int) -> Workload:
        def call() -> None:
            clock.advance(seconds(batch))

        return Workload(batch, call, call, call)

    cold = Cold(import_s=0, load_s=0, first_call_s=0)
    return Ready(device, clock, cold, load, lambda batch: load(batch).request, lambda: 0)


def swept(seconds: Callable[[int], float], sweep: Sweep, sizes: tuple[int, ...] = SIZES) -> tuple[tuple[int, ...], str]:
    request = Request(subject=Subject(), kind="replicate", batches=sizes, rules=RULES, sweep=sweep)
    found = replicate(ready(seconds, VirtualClock()), request)
    return found.sizes, found.ended


def saturated(batch: int) -> float:
    """Twice the items take no longer up to 4 items; from there each item takes its own time."""
    return 0.001 * max(1, batch / 4)


def test_a_sweep_ends_after_two_steps_that_gain_nothing() -> None:
    """The throughput is full at 4: the steps to 8 and to 16 gain nothing, and 32 is not measured."""
    assert swept(saturated, Sweep(gain=0.02)) == ((1, 2, 4, 8, 16), "gain")


def test_a_sweep_that_was_spelled_out_is_measured_in_full() -> None:
    assert swept(saturated, Sweep()) == (SIZES, "")


def test_a_sweep_that_gains_goes_on_to_its_end() -> None:
    assert swept(lambda batch: 0.001 * batch**0.5, Sweep(gain=0.02)) == (SIZES, "")


def test_a_slow_model_ends_the_sweep_in_time_and_is_measured_at_least_once() -> None:
    """Calls of a second per item: 12 s for one item, 24 s for two; those of four would end after 84."""
    sizes, ended = swept(float, Sweep(most_s=80))
    assert (sizes, ended) == ((1, 2), "time")
    assert swept(float, Sweep(most_s=1)) == ((1,), "time")


def test_the_end_of_memory_ends_the_sweep() -> None:
    def seconds(batch: int) -> float:
        if batch > 4:
            raise MemoryError
        return 0.001

    assert swept(seconds, Sweep()) == ((1, 2, 4), "memory")


class SideStream(VirtualClock):
    """A device with a second stream: what is queued there is seen by no mark, only by waiting for the whole device."""

    hidden = 0.0

    def synchronise(self) -> None:
        self.advance(self.hidden)
        self.hidden = 0.0


@pytest.mark.parametrize(("beside", "told"), [(0.0, False), (0.004, True)])
def test_work_on_another_stream_is_told(beside: float, told: bool) -> None:
    """A call of 1 ms that queues 4 ms elsewhere: in a row the calls take 5 ms, between their marks 1 ms."""
    clock = SideStream()

    def load(batch: int) -> Workload:
        def call() -> None:
            clock.advance(0.001)
            clock.hidden += beside

        return Workload(batch, call, call, call)

    subject = Ready("cuda", clock, Cold(import_s=0, load_s=0, first_call_s=0), load, lambda _: lambda: None, lambda: 0)
    found = replicate(subject, Request(subject=Subject(), kind="replicate", rules=RULES))
    assert found.batches[0].hidden is told


def test_a_little_more_than_the_marks_say_is_no_lie() -> None:
    """Calling takes some microseconds that no mark sees."""
    assert not works_beside(0.001, 0.0012)
    assert not works_beside(1e-5, 5e-5)
    assert works_beside(0.001, 0.0015)
