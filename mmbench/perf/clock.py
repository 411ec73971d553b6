"""Clocks: the host's for a CPU, CUDA events for a GPU, and a virtual one that proves the protocol in tests.

A *mark* is a moment on the device's own time line. Reading the time between two marks is allowed only after
``synchronise``: a CUDA event is filled in when the device gets there.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Protocol

# About the clock of today's GPUs; a hold need not be exact, only long enough.
_CYCLES_PER_SECOND = 2e9


class Clock(Protocol):
    """What times calls. ``resolution`` in seconds: the least difference that it can tell."""

    @property
    def resolution(self) -> float:
        """Seconds."""

    def mark(self) -> Any:
        """A moment on the device."""

    def synchronise(self) -> None:
        """Waits until all work that was given to the device is done."""

    def hold(self, seconds: float) -> None:
        """Keeps the device busy for about so long, so that what is queued meanwhile runs without gaps."""

    def seconds(self, start: Any, end: Any) -> float:
        """Between two marks, after ``synchronise``."""

    def now(self) -> float:
        """Seconds on the host, for budgets and schedules."""

    def wait_until(self, moment: float) -> None:
        """Returns when ``now()`` is at least ``moment``."""


@dataclass(frozen=True, slots=True)
class HostClock:
    """``time.perf_counter_ns``: the device is the host, so a mark is the time at which it was made."""

    resolution: float = 1e-7
    # Sleeping wakes up late by this much; the rest of a wait is spent in a loop.
    spin: float = 1e-3

    def mark(self) -> int:
        """Nanoseconds."""
        return time.perf_counter_ns()

    def synchronise(self) -> None:
        """A CPU has done its work when a call returns."""

    def hold(self, seconds: float) -> None:
        """Nothing: a CPU has no queue."""

    def seconds(self, start: int, end: int) -> float:
        """Between two marks."""
        return (end - start) * 1e-9

    def now(self) -> float:
        """Seconds."""
        return time.perf_counter()

    def wait_until(self, moment: float) -> None:
        """Sleeps, then spins."""
        left = moment - self.now()
        if left > self.spin:
            time.sleep(left - self.spin)
        while self.now() < moment:
            pass


class CudaClock:
    """Events on the current stream of a CUDA device (resolution about 0.5 us)."""

    resolution = 0.5e-6

    def __init__(self, device: str) -> None:
        import torch

        self._cuda = torch.cuda
        self._device = device
        self._host = HostClock()

    def mark(self) -> Any:
        """A recorded event."""
        event = self._cuda.Event(enable_timing=True)  # type: ignore[no-untyped-call]
        event.record(self._cuda.current_stream(self._device))
        return event

    def synchronise(self) -> None:
        """Waits for every stream of the device."""
        self._cuda.synchronize(self._device)

    def hold(self, seconds: float) -> None:
        """A kernel that spins for so many cycles of the fastest clock."""
        with self._cuda.device(self._device):
            self._cuda._sleep(int(seconds * _CYCLES_PER_SECOND))  # type: ignore[no-untyped-call]

    def seconds(self, start: Any, end: Any) -> float:
        """Between two events."""
        return float(start.elapsed_time(end)) * 1e-3

    def now(self) -> float:
        """The host's."""
        return self._host.now()

    def wait_until(self, moment: float) -> None:
        """The host's."""
        self._host.wait_until(moment)


class VirtualClock:
    """A device that is simulated: ``advance`` is the work of a call."""

    resolution = 0.0

    def __init__(self) -> None:
        self.time = 0.0

    def advance(self, seconds: float) -> None:
        """The device is busy for so long."""
        self.time += seconds

    def mark(self) -> float:
        """The virtual time."""
        return self.time

    def synchronise(self) -> None:
        """Nothing is left to do: work is done as it is given."""

    def hold(self, seconds: float) -> None:
        """Nothing: there are no gaps."""

    def seconds(self, start: float, end: float) -> float:
        """Between two marks."""
        return end - start

    def now(self) -> float:
        """The virtual time."""
        return self.time

    def wait_until(self, moment: float) -> None:
        """Idle until then."""
        self.time = max(self.time, moment)


def clock_for(device: str) -> Clock:
    """Events on ``cuda``, the host's clock elsewhere."""
    return CudaClock(device) if device.startswith("cuda") else HostClock()
