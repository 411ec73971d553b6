"""Peak memory: of the work, not of what came before."""

from __future__ import annotations

import pytest

from mmbench.runner.memory import peak_device_mib, peak_rss_mib, reset_peak, rss_mib

MIB = 2**20


def test_the_peak_holds_what_was_freed_and_forgets_what_was_before() -> None:
    """T9 on the host: 64 MiB that are written to and freed are in the peak, and after a reset they are not."""
    if not reset_peak():
        pytest.skip("this system cannot set the peak back")
    before = peak_rss_mib()
    block = bytearray(64 * MIB)
    block[::4096] = b"x" * len(block[::4096])
    del block
    grown = peak_rss_mib() - before
    assert 60 <= grown <= 80
    assert reset_peak()
    assert peak_rss_mib() < before + grown
    assert peak_rss_mib() >= (rss_mib() or 0) - 1


def test_a_cpu_has_no_device_memory() -> None:
    assert peak_device_mib("cpu") is None


@pytest.mark.gpu
def test_device_memory_is_exact_to_the_granule() -> None:
    """T9: a tensor of known bytes, to 512 B (2 MiB where the allocator takes a segment)."""
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    torch.cuda.empty_cache()
    before = torch.cuda.memory_allocated() / MIB
    reset_peak()
    kept = torch.empty(50 * MIB + 1, dtype=torch.uint8, device="cuda")
    assert peak_device_mib("cuda") - before == pytest.approx(kept.numel() / MIB, abs=512 / MIB)
