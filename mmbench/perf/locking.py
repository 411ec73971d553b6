"""Clocks of a GPU, locked while something is measured: only when the user asks, and put back in any case."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from mmbench.core.errors import UsageError
from mmbench.perf import nvml


@contextmanager
def locked_clocks(device: str, mhz: int | None) -> Iterator[None]:
    """The SM clock at ``mhz``; nothing without one. Raises UsageError where the driver does not allow it."""
    if mhz is None:
        yield
        return
    found = nvml.gpu(device) if device.startswith("cuda") else None
    if found is None:
        raise UsageError("--lock-clocks concerns an NVIDIA GPU, and this run uses none; leave it out.")
    if nvml.library().nvmlDeviceSetGpuLockedClocks(found.handle, mhz, mhz) != 0:
        raise UsageError(f"The driver does not let this user lock the clocks at {mhz} MHz; ask the administrator.")
    try:
        yield
    finally:
        nvml.library().nvmlDeviceResetGpuLockedClocks(found.handle)
