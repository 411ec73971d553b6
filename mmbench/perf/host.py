"""Facts about the host, as far as the system tells them: load of others, governor, turbo, quota, memory."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

_CPU = Path("/sys/devices/system/cpu")
_CGROUP = Path("/sys/fs/cgroup/cpu.max")
# Columns of /proc/stat: user nice system idle iowait irq softirq steal.
_IDLE, _IOWAIT = 3, 4
_COLUMNS = 8


def allowed_cpus() -> float:
    """Processors that this process may use: its affinity, and the quota of its control group."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _text(_CGROUP).partition(" ")
    limit = float(quota) / float(period) if quota.isdecimal() and period else float(affinity)
    return min(float(affinity), limit)


def foreign_load(seconds: float) -> float | None:
    """Share of the processors that others use (and what the hypervisor steals) while we sleep; None without /proc."""
    before, ours = _stat(), time.process_time()
    time.sleep(seconds)
    after, ours = _stat(), time.process_time() - ours
    if before is None or after is None:
        return None
    steps = [last - first for first, last in zip(before, after, strict=True)]
    total = sum(steps)
    if total <= 0:
        return None
    busy = total - steps[_IDLE] - steps[_IOWAIT]
    return max(0.0, busy / total - ours / (seconds * (os.cpu_count() or 1)))


def governor() -> str | None:
    """The frequency governor of the first processor; None where there is none to choose."""
    return _text(_CPU / "cpu0" / "cpufreq" / "scaling_governor") or None


def turbo() -> bool | None:
    """Whether the clock may go over its base; None where the system does not tell."""
    off, boost = _text(_CPU / "intel_pstate" / "no_turbo"), _text(_CPU / "cpufreq" / "boost")
    if off:
        return off == "0"
    return boost == "1" if boost else None


def is_virtual() -> bool:
    """Whether a hypervisor runs us."""
    return " hypervisor" in _text(Path("/proc/cpuinfo"))


def memory(name: str) -> float | None:
    """A line of /proc/meminfo, MiB; None where there is none."""
    lines = _text(Path("/proc/meminfo")).splitlines()
    found = next((line.split()[1] for line in lines if line.startswith(f"{name}:")), None)
    return None if found is None else int(found) / 2**10


def identity() -> str:
    """Digest of the installation's id, 8 hex digits: the same machine, without naming it; "" where there is none."""
    text = _text(Path("/etc/machine-id"))
    return hashlib.blake2b(f"mmbench\0{text}".encode(), digest_size=4).hexdigest() if text else ""


def _stat() -> list[int] | None:
    first = _text(Path("/proc/stat")).partition("\n")[0].split()
    return [int(value) for value in first[1 : _COLUMNS + 1]] if first[:1] == ["cpu"] else None


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
