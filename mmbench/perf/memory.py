"""Peak memory of calls at one batch size: what torch allocates and reserves, what the device and the process hold."""

from __future__ import annotations

import sys
from collections.abc import Callable

from mmbench.core.performance import Memory
from mmbench.runner.memory import peak_device_mib, peak_rss_mib, reset_peak, rss_mib

_MIB = 2**20


def measure_memory(call: Callable[[], object], device: str, batch: int, weights: float, calls: int = 3) -> Memory:
    """Peaks over a few calls, counted from their start.

    Allocated is the quantity to gate on: it repeats almost exactly. What the whole device holds (context, workspaces,
    other libraries and other processes) is for planning its capacity.
    """
    exact = reset_peak()
    before = rss_mib()
    for _ in range(calls):
        call()
    torch = sys.modules.get("torch")
    on_cuda = torch is not None and device.startswith("cuda")
    allocated = peak_device_mib(device)
    peak = peak_rss_mib()
    return Memory(
        batch=batch,
        allocated_mib=allocated,
        reserved_mib=torch.cuda.max_memory_reserved(device) / _MIB if torch is not None and on_cuda else None,
        device_mib=_device_used(device) if on_cuda else None,
        weights_mib=weights,
        activations_mib=None if allocated is None else max(0.0, allocated - weights),
        rss_mib=peak,
        rss_growth_mib=max(0.0, peak - before) if exact and before is not None else None,
    )


def weights_mib(module: object) -> float:
    """Parameters and buffers of a module, MiB; 0 for a model without one."""
    tensors = [*module.parameters(), *module.buffers()] if hasattr(module, "parameters") else []  # type: ignore[attr-defined]
    return float(sum(t.numel() * t.element_size() for t in tensors)) / _MIB


def _device_used(device: str) -> float:
    import torch

    free, total = torch.cuda.mem_get_info(device)
    return float(total - free) / _MIB
