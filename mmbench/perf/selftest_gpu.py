"""The checks of the timing that need a CUDA device: known kernels, another harness, ceilings, liars.

Never run by the project's own tests where there is no GPU.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import log
from statistics import median
from typing import Any

import numpy as np
import torch

from mmbench.perf.clock import CudaClock
from mmbench.perf.nvml import gpu
from mmbench.perf.peaks import peak_of
from mmbench.perf.protocol import BlockRule, block
from mmbench.perf.selftest import Check

_DEVICE = "cuda"
_SIDE = 8192
_GIB = 2**30


def check_gpu() -> Iterator[Check]:
    """T2 to T6."""
    if not torch.cuda.is_available():
        yield Check("T2-T6 on a GPU", "torch sees no CUDA device", "a GPU", None)
        return
    clock = CudaClock(_DEVICE)
    yield known_kernel(clock)
    yield from agreement(clock)
    yield copy_bandwidth(clock)
    yield product_rate(clock)
    yield side_stream(clock)


def known_kernel(clock: CudaClock) -> Check:
    """T2: kernels of 1e5 to 1e8 cycles lie on a line: R2 > 0.9999, less than 15 us beside it."""
    cycles = np.logspace(5, 8, 7)
    times = [_typical(lambda c=int(c): torch.cuda._sleep(c), clock) for c in cycles]  # type: ignore[misc, no-untyped-call]
    slope, start = np.polyfit(cycles, times, 1)
    residual = np.array(times) - (slope * cycles + start)
    fit = 1 - float(residual @ residual) / float(np.var(times) * len(times))
    device = gpu(_DEVICE)
    clock_mhz = None if device is None else device.facts()["sm_mhz"]
    found = f"R2 {fit:.6f}, {1e6 * start:.1f} us beside, {1e-6 / slope:.0f} MHz (NVML: {clock_mhz})"
    right = fit > 0.9999 and start < 15e-6
    return Check("T2 known kernel", found, "R2 > 0.9999, under 15 us beside", bool(right))


def agreement(clock: CudaClock) -> Iterator[Check]:
    """T3: triton's do_bench with the L2 flushed on neither side: 2 % above 100 us, 5 % at 20 to 100 us."""
    try:
        from triton.testing import do_bench  # type: ignore[import-not-found]
    except ImportError:
        yield Check("T3 do_bench", "triton is not installed", "agreement within 2%", None)
        return
    for side in (1024, 4096):
        x = torch.randn(side, side, device=_DEVICE, dtype=torch.bfloat16)
        ours = _typical(lambda x=x: x @ x, clock)  # type: ignore[misc]
        theirs = 1e-3 * float(do_bench(lambda x=x: x @ x, return_mode="median"))
        limit = 0.02 if theirs > 100e-6 else 0.05
        error = abs(log(ours / theirs))
        right = None if theirs < 20e-6 else error <= limit
        yield Check("T3 do_bench", f"{1e6 * ours:.1f} and {1e6 * theirs:.1f} us", f"within {limit:.0%}", right)


def copy_bandwidth(clock: CudaClock) -> Check:
    """T4: a copy of 1 GiB; over 100 % of the peak proves a missing synchronisation."""
    source = torch.empty(_GIB, dtype=torch.uint8, device=_DEVICE).random_()
    target = torch.empty_like(source)
    rate = 2 * _GIB / _typical(lambda: target.copy_(source), clock)
    peak = peak_of(torch.cuda.get_device_name(), "fp32")
    if peak is None:
        return Check("T4 copy", f"{rate / 1e12:.2f} TB/s", "the peak of this device is not known", None)
    share = rate / peak.bandwidth
    return Check("T4 copy", f"{share:.0%} of peak", "70-100%", 0.70 <= share <= 1.0)


def product_rate(clock: CudaClock) -> Check:
    """T5: a product of 8192 x 8192 bf16 matrices of random numbers."""
    a, b = (torch.randn(_SIDE, _SIDE, device=_DEVICE, dtype=torch.bfloat16) for _ in range(2))
    rate = 2 * _SIDE**3 / _typical(lambda: a @ b, clock)
    peak = peak_of(torch.cuda.get_device_name(), "bf16")
    if peak is None:
        return Check("T5 product", f"{rate / 1e12:.0f} TFLOP/s", "the peak of this device is not known", None)
    share = rate / peak.flops
    return Check("T5 product", f"{share:.0%} of peak", "55-100%", 0.55 <= share <= 1.0)


def side_stream(clock: CudaClock) -> Check:
    """T6: work on another stream, which events on this one do not see; waiting for the whole device does."""
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]

    def liar() -> None:
        with torch.cuda.stream(stream):
            torch.cuda._sleep(20_000_000)  # type: ignore[no-untyped-call]

    hidden = is_hidden(liar, clock)
    honest = is_hidden(lambda: torch.cuda._sleep(20_000_000), clock)  # type: ignore[no-untyped-call]
    return Check("T6 side stream", f"caught {hidden}, honest one {honest}", "True, False", hidden and not honest)


def is_hidden(call: Callable[[], Any], clock: CudaClock, tolerance: float = 0.1) -> bool:
    """Whether a call works longer than its events say: the host waits for the device longer than they claim."""
    (claimed,) = block(call, clock, BlockRule(calls=1))
    clock.synchronise()
    start = clock.now()
    call()
    clock.synchronise()
    return clock.now() - start > (1 + tolerance) * claimed + 1e-3


def _typical(call: Callable[[], object], clock: CudaClock) -> float:
    for _ in range(10):
        call()
    return median(block(call, clock, BlockRule(calls=50, seconds=1), hold=0.002))
