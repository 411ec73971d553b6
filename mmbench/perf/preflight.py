"""Before anything is timed: what the machine is, and whether it is fit. Nothing is ever changed.

``hard`` facts decide a time and must be equal to compare stored runs; ``soft`` ones are told. The verdict is ``unfit``
where numbers would say more of the neighbours than of the model, ``shared`` where others may disturb.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import mmbench
from mmbench.core.key import digest_of
from mmbench.core.performance import Machine, Remark, Verdict
from mmbench.perf import host
from mmbench.perf.protocol import VERSION
from mmbench.runner.provenance import device_name

# Shares of the processors that others use while we rest.
SHARED_LOAD, UNFIT_LOAD = 0.05, 0.75
# A GPU that others use by more than this while we rest.
_FOREIGN_MIB, _FOREIGN_PERCENT = 512, 2
_RANK: dict[str, int] = {"note": 0, "shared": 1, "unfit": 2}
_VERDICTS: tuple[Verdict, ...] = ("dedicated", "shared", "unfit")


def machine(device: str, precision: str, threads: int, seconds: float = 1.0) -> Machine:
    """Looks at the machine for ``seconds`` while we are idle."""
    load = host.foreign_load(seconds)
    remarks = tuple(sorted(_remarks(device, threads, load), key=lambda remark: -_RANK[remark.severity]))
    return Machine(
        verdict=verdict(remarks),
        hard=hard_facts(device, precision, threads),
        soft=soft_facts(device) | {"foreign_load": load},
        remarks=remarks,
    )


def verdict(remarks: tuple[Remark, ...]) -> Verdict:
    """The worst remark decides."""
    return _VERDICTS[max((_RANK[remark.severity] for remark in remarks), default=0)]


def hard_facts(device: str, precision: str, threads: int) -> dict[str, Any]:
    """What must be equal to compare stored times: processor or GPU, driver, torch, precision, threads, protocol."""
    facts: dict[str, Any] = {
        "protocol": VERSION,
        "cpu": device_name("cpu"),
        "cpus": host.allowed_cpus(),
        "machine": host.identity(),
        "device": device.partition(":")[0],
        "precision": precision,
        "threads": threads,
        "python": ".".join(platform.python_version_tuple()[:2]),
    }
    torch = sys.modules.get("torch")
    if torch is not None:
        facts["torch"] = str(torch.__version__)
        if device.startswith("cuda"):
            facts |= {"gpu": device_name(device), "cuda": torch.version.cuda, "driver": _driver()}
    return facts


def fingerprint(facts: dict[str, Any]) -> str:
    """Digest of the hard facts, 16 hex digits."""
    return digest_of(facts)


def soft_facts(device: str) -> dict[str, Any]:
    """What is told beside a time: kernel, governor, turbo, load, memory, clocks and power of the GPU."""
    facts: dict[str, Any] = {
        "mmbench": mmbench.__version__,
        "kernel": platform.release(),
        "governor": host.governor(),
        "turbo": host.turbo(),
        "load": list(os.getloadavg()) if hasattr(os, "getloadavg") else None,
        "available_mib": host.memory("MemAvailable"),
        "environment": {k: os.environ[k] for k in ("OMP_NUM_THREADS", "MKL_NUM_THREADS") if k in os.environ},
    }
    if device.startswith("cuda"):
        from mmbench.perf.nvml import gpu

        found = gpu(device)
        facts["gpu"] = found.facts() if found is not None else None
    return facts


def _remarks(device: str, threads: int, load: float | None) -> Iterator[Remark]:
    yield from load_remarks(load)
    yield from _cpu_remarks(threads)
    yield from _memory_remarks()
    if device.startswith("cuda"):
        yield from _gpu_remarks(device)


def load_remarks(load: float | None) -> Iterator[Remark]:
    """What others do with the processors (share of all allowed ones, None where the system does not tell)."""
    if load is None:
        yield Remark(name="load", severity="shared", found="the load cannot be read here", advice="use Linux")
    elif load > SHARED_LOAD:
        found = f"other processes use {load:.0%} of the processors while mmbench rests"
        severity: Literal["shared", "unfit"] = "unfit" if load > UNFIT_LOAD else "shared"
        yield Remark(name="load", severity=severity, found=found, advice="stop them, or measure another time")


def _cpu_remarks(threads: int) -> Iterator[Remark]:
    allowed, governor = host.allowed_cpus(), host.governor()
    if threads > allowed:
        found = f"{threads} threads on {allowed} processors"
        yield Remark(name="threads", severity="unfit", found=found, advice=f"use --threads {max(1, int(allowed))}")
    if governor not in (None, "performance"):
        advice = "cpupower frequency-set -g performance"
        yield Remark(name="governor", severity="shared", found=f"the governor is {governor}", advice=advice)
    if host.turbo():
        advice = "switch it off for numbers that repeat, or keep it and expect drift"
        yield Remark(
            name="turbo", severity="note", found="turbo is on: the clock follows the temperature", advice=advice
        )
    if host.is_virtual():
        advice = "compare interleaved (mmbench gate ab), not with stored runs"
        found = "this is a virtual machine: neighbours are not visible"
        yield Remark(name="virtual", severity="shared", found=found, advice=advice)


def _memory_remarks() -> Iterator[Remark]:
    total, available = host.memory("MemTotal"), host.memory("MemAvailable")
    used = (host.memory("SwapTotal") or 0.0) - (host.memory("SwapFree") or 0.0)
    if total and available is not None and available < 0.05 * total:
        found = f"{available:.0f} MiB of {total:.0f} MiB are free"
        yield Remark(name="memory", severity="unfit", found=found, advice="free memory: the system will swap")
    elif used > 64:
        found = f"{used:.0f} MiB are swapped out"
        yield Remark(name="swap", severity="note", found=found, advice="swapoff -a, if the memory suffices")


def _gpu_remarks(device: str) -> Iterator[Remark]:
    import torch

    from mmbench.perf.nvml import HARD_SLOWDOWN, gpu

    found = gpu(device)
    # Before we touch the device ourselves.
    busy = None if found is None else found.utilisation()
    if busy is not None and busy > _FOREIGN_PERCENT:
        text = f"the GPU is busy for {busy}% of the time while mmbench rests"
        yield Remark(name="gpu", severity="unfit", found=text, advice="stop what uses the GPU")
    free, total = torch.cuda.mem_get_info(device)
    foreign = (total - free) / 2**20 - torch.cuda.memory_reserved(device) / 2**20
    others = (found.processes() or 0) if found is not None else 0
    if others > 1 or foreign > 2 * _FOREIGN_MIB:
        text = f"{others} processes and {foreign:.0f} MiB that are not ours on the GPU"
        yield Remark(name="gpu", severity="unfit", found=text, advice="stop the other processes of the GPU")
    slowdown = None if found is None else found.facts()["slowdown"]
    if slowdown and slowdown & HARD_SLOWDOWN:
        text = "the GPU is slowed down by heat or power"
        yield Remark(name="slowdown", severity="unfit", found=text, advice="let it cool, check the power supply")


def _driver() -> str | None:
    """The driver's major version."""
    try:
        text = Path("/proc/driver/nvidia/version").read_text(encoding="utf-8")
    except OSError:
        return None
    words = [word for word in text.split() if word[:1].isdigit() and "." in word]
    return words[0].partition(".")[0] if words else None
