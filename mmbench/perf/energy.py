"""Energy per item from a counter of the hardware: NVML's on a GPU, RAPL's on a CPU. No counter, no number."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mmbench.core.performance import Energy
from mmbench.perf.clock import Clock

_RAPL = Path("/sys/class/powercap")
_MICRO = 1e-6
# A window shorter than this, or in which the counter moved less often, says little.
LEAST_S = 10.0
LEAST_UPDATES = 100
# Of calls between two readings, so that waiting for the device and reading do not thin them out.
_BETWEEN_S = 0.02


class Counter(Protocol):
    """Joules since some moment."""

    @property
    def name(self) -> str:
        """What is counted."""

    def joules(self) -> float:
        """The reading, free of overflow."""


@dataclass
class RaplCounter:
    """The packages of the processor (Linux powercap); a reading wraps at ``max_energy_range_uj``."""

    zones: tuple[Path, ...]
    name: str = "RAPL package"

    def __post_init__(self) -> None:
        self._last = [self._read(zone, "energy_uj") for zone in self.zones]
        self._sum = 0.0

    def joules(self) -> float:
        """Since the counter was opened."""
        for index, zone in enumerate(self.zones):
            reading = self._read(zone, "energy_uj")
            step = reading - self._last[index]
            self._sum += step if step >= 0 else step + self._read(zone, "max_energy_range_uj")
            self._last[index] = reading
        return self._sum * _MICRO

    @staticmethod
    def _read(zone: Path, name: str) -> float:
        return float((zone / name).read_text(encoding="ascii"))


def find_counter(device: str, rapl: Path = _RAPL) -> tuple[Counter | None, str]:
    """The counter of the device, or None and the reason."""
    if device.startswith("cuda"):
        from mmbench.perf.nvml import energy_counter

        return energy_counter(device)
    zones = tuple(zone for zone in sorted(rapl.glob("intel-rapl:?")) if (zone / "energy_uj").exists())
    if not zones:
        return None, "this machine shows no energy counter (no RAPL under /sys/class/powercap)"
    try:
        return RaplCounter(zones), ""
    except OSError as error:
        return None, f"the energy counter cannot be read ({error.strerror}); its file needs read permission"


def measure_energy(
    call: Callable[[], object],
    items: int,
    counter: Counter,
    clock: Clock,
    *,
    least_s: float = LEAST_S,
    updates: int = LEAST_UPDATES,
) -> Energy:
    """Joules per item above idle: ``least_s`` of rest, then calls until the window and the updates are reached.

    Gives up after ten windows with too few updates of the counter.
    """
    clock.synchronise()
    idle = _idle_watts(counter, clock, least_s)
    calls = _calls_between(call, clock)
    start, first, done, seen, last = clock.now(), counter.joules(), 0, 0, -1.0
    while clock.now() - start < least_s or (seen < updates and clock.now() - start < 10 * least_s):
        for _ in range(calls):
            call()
        done += calls * items
        clock.synchronise()
        reading = counter.joules()
        seen, last = seen + (reading != last), reading
    window = clock.now() - start
    if seen < updates:
        reason = f"the counter moved {seen} times in {window:.0f} s, fewer than {updates}"
        return Energy(joules=None, idle_watts=idle, window_s=window, counter=counter.name, reason=reason)
    return Energy(joules=(last - first - idle * window) / done, idle_watts=idle, window_s=window, counter=counter.name)


def _calls_between(call: Callable[[], object], clock: Clock) -> int:
    clock.synchronise()
    start = clock.now()
    call()
    clock.synchronise()
    return max(1, int(_BETWEEN_S / max(clock.now() - start, 1e-9)))


def _idle_watts(counter: Counter, clock: Clock, seconds: float) -> float:
    first, start = counter.joules(), clock.now()
    clock.wait_until(start + seconds)
    return (counter.joules() - first) / (clock.now() - start)
