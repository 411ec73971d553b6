"""A simulated device: a true time, and what a machine does to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from mmbench.perf.clock import VirtualClock


@dataclass
class Device:
    """A call takes ``seconds`` times noise; the first ``cold`` calls are slower, and ``drift`` grows with each call."""

    seconds: float = 0.002
    noise: float = 0.02
    spikes: float = 0.0
    cold: int = 0
    drift: float = 0.0
    process: float = 0.0
    seed: int = 0

    def start(self, number: int) -> tuple[VirtualClock, Callable[[], None]]:
        """A process: its clock, and the call that it makes; ``process`` is the sd of its own effect."""
        random = np.random.default_rng([self.seed, number])
        clock, calls = VirtualClock(), 0
        own = self.seconds * np.exp(self.process * random.normal())

        def call() -> None:
            nonlocal calls
            calls += 1
            slow = 1 + 2 * max(0, self.cold - calls) / max(self.cold, 1)
            spike = 3.0 if random.random() < self.spikes else 1.0
            clock.advance(own * slow * spike * (1 + self.drift * calls) * np.exp(self.noise * random.normal()))

        return clock, call


@pytest.fixture
def simulated() -> type[Device]:
    """Makes simulated devices."""
    return Device
