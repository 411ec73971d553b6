"""Peak memory of this process and of the device, MiB, counted from a moment on."""

from __future__ import annotations

import resource
import sys
from pathlib import Path

_STATUS = Path("/proc/self/status")
_CLEAR = Path("/proc/self/clear_refs")
# Written to clear_refs, it sets the peak (VmHWM) back to what is resident now.
_RESET_PEAK = "5"


def reset_peak() -> bool:
    """Counts the host's peak from now on; False where the system cannot: it is then that of the whole process."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        for index in range(torch.cuda.device_count()):
            torch.cuda.reset_peak_memory_stats(index)
    try:
        _CLEAR.write_text(_RESET_PEAK, encoding="ascii")
    except OSError:
        return False
    return True


def peak_rss_mib() -> float:
    """Peak resident set size since ``reset_peak`` (getrusage, of the whole process, where there is no /proc)."""
    found = _status("VmHWM")
    if found is not None:
        return found
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def rss_mib() -> float | None:
    """What is resident now; None where there is no /proc."""
    return _status("VmRSS")


def peak_device_mib(device: str) -> float | None:
    """Peak of the memory that torch has allocated on a CUDA device since ``reset_peak``; None on any other device."""
    torch = sys.modules.get("torch")
    if torch is None or not device.startswith("cuda"):
        return None
    return float(torch.cuda.max_memory_allocated(device)) / 2**20


def _status(name: str) -> float | None:
    try:
        lines = _STATUS.read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return None
    found = next((line.split()[1] for line in lines if line.startswith(f"{name}:")), None)
    return None if found is None else int(found) / 2**10
