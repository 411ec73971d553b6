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
from mmbench.perf.liars import works_beside
from mmbench.perf.nvml import gpu
from mmbench.perf.peaks import peak_of
from mmbench.perf.protocol import BlockRule, block
from mmbench.perf.replicate import offline
from mmbench.perf.selftest import Check
from mmbench.runner.memory import peak_device_mib, reset_peak

_DEVICE = "cuda"
_SIDE = 8192
_MIB, _GIB = 2**20, 2**30
# Bytes that are more than any L2 holds.
_FLUSH = 256 * _MIB
# Cycles of about a millisecond.
_SPIN = 2_000_000


def check_gpu() -> Iterator[Check]:
    """T2 to T6, and T9."""
    if not torch.cuda.is_available():
        yield Check("T2-T9 on a GPU", "torch sees no CUDA device", "a GPU", None)
        return
    clock = CudaClock(_DEVICE)
    yield known_kernel(clock)
    yield from agreement(clock)
    yield copy_bandwidth(clock)
    yield product_rate(clock)
    yield side_stream(clock)
    yield known_tensor()


def known_kernel(clock: CudaClock) -> Check:
    """T2: kernels of 1e5 to 1e8 cycles lie on a line: R2 > 0.9999, less than 15 us beside it."""
    cycles = np.logspace(5, 8, 7)
    times = [_typical(lambda c=int(c): torch.cuda._sleep(c), clock) for c in cycles]  # type: ignore[misc, no-untyped-call]
    slope, start = np.polyfit(cycles, times, 1)
    residual = np.array(times) - (slope * cycles + start)
    fit = 1 - float(residual @ residual) / float(np.var(times) * len(times))
    found = f"R2 {fit:.6f}, {1e6 * start:.1f} us beside, {1e-6 / slope:.0f} MHz (NVML: {_mhz_at_work(clock)})"
    right = fit > 0.9999 and start < 15e-6
    return Check("T2 known kernel", found, "R2 > 0.9999, under 15 us beside", bool(right))


def _mhz_at_work(clock: CudaClock) -> int | None:
    """The SM clock while a kernel runs."""
    device = gpu(_DEVICE)
    if device is None:
        return None
    clock.hold(0.5)
    clock.wait_until(clock.now() + 0.2)
    found = device.facts()["sm_mhz"]
    clock.synchronise()
    return None if found is None else int(found)


def agreement(clock: CudaClock) -> Iterator[Check]:
    """T3: triton's do_bench, which flushes the L2, as is done here: 2 % above 100 us, 5 % at 20 to 100 us."""
    try:
        from triton.testing import do_bench  # type: ignore[import-not-found]
    except ImportError:
        yield Check("T3 do_bench", "triton is not installed", "agreement within 2%", None)
        return
    for side in (2048, 4096):
        x = torch.randn(side, side, device=_DEVICE, dtype=torch.bfloat16)
        ours = _flushed(lambda x=x: x @ x, clock)  # type: ignore[misc]
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
    """T6: work on another stream, which events on this one do not see; it is told by the harness's own rule."""
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]

    def liar() -> None:
        with torch.cuda.stream(stream):
            torch.cuda._sleep(_SPIN)  # type: ignore[no-untyped-call]

    hidden = is_told(liar, clock)
    honest = is_told(lambda: torch.cuda._sleep(_SPIN), clock)  # type: ignore[no-untyped-call]
    return Check("T6 side stream", f"caught {hidden}, honest one {honest}", "True, False", hidden and not honest)


def is_told(call: Callable[[], Any], clock: CudaClock) -> bool:
    """Whether calls in a row take longer than their events say."""
    claimed = median(block(call, clock, BlockRule(calls=20)))
    return works_beside(claimed, 1 / offline(call, clock, 1, 0.05))


def known_tensor(mib: int = 64) -> Check:
    """T9: a tensor of known size is in the peak, to a granule of the allocator."""
    before = torch.cuda.memory_allocated(_DEVICE) / _MIB
    reset_peak()
    kept = torch.empty(mib * _MIB, dtype=torch.uint8, device=_DEVICE)
    grown = (peak_device_mib(_DEVICE) or 0.0) - before
    return Check("T9 tensor", f"{grown:.3f} MiB", f"{kept.numel() // _MIB} MiB within 2", 0 <= grown - mib <= 2)


def _flushed(call: Callable[[], object], clock: CudaClock, calls: int = 50) -> float:
    """The median with the L2 overwritten before each call, outside of its marks."""
    cache = torch.empty(_FLUSH, dtype=torch.uint8, device=_DEVICE)
    for _ in range(10):
        call()
    clock.synchronise()
    marks = []
    for _ in range(calls):
        cache.zero_()
        start = clock.mark()
        call()
        marks.append((start, clock.mark()))
    clock.synchronise()
    return median(clock.seconds(*pair) for pair in marks)


def _typical(call: Callable[[], object], clock: CudaClock) -> float:
    for _ in range(10):
        call()
    return median(block(call, clock, BlockRule(calls=50, seconds=1), hold=0.002))
