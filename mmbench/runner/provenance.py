"""Where a number comes from: code, versions, device, command, time. Names no host and no user."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import mmbench

# Packages whose version can change a number; torch is left out where it was not used.
_PACKAGES = ("numpy", "scipy", "pillow")
_WITH_TORCH = ("torch", "transformers")


def provenance(argv: Sequence[str], device: str, started: datetime) -> dict[str, Any]:
    """The facts about a run, as JSON: ``argv`` as the user gave it, ``started`` the UTC time of its start."""
    packages = _PACKAGES + (_WITH_TORCH if "torch" in sys.modules else ())
    versions = {name: found for name in packages if (found := _version(name))}
    return {
        "argv": list(argv),
        "time": started.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "versions": {"mmbench": mmbench.__version__, "python": platform.python_version(), **versions},
        "device": device_name(device),
        "system": f"{platform.system()} {platform.machine()}",
        **checkout(Path(mmbench.__file__).resolve().parent.parent),
    }


def checkout(folder: Path) -> dict[str, Any]:
    """``commit`` and ``dirty`` (tracked files were changed) of a git checkout; None in an installed package."""
    if not (folder / ".git").exists() or not (folder / "pyproject.toml").exists():
        return {"commit": None, "dirty": None}
    commit = _git(folder, "rev-parse", "HEAD")
    changed = _git(folder, "status", "--porcelain", "--untracked-files=no") if commit else None
    return {"commit": commit, "dirty": bool(changed) if changed is not None else None}


def device_name(device: str) -> str:
    """The processor's name (of the GPU on ``cuda``), as far as the system tells it."""
    torch = sys.modules.get("torch")
    if device.startswith("cuda") and torch is not None:
        return str(torch.cuda.get_device_name(device))
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _git(folder: Path, *arguments: str) -> str | None:
    # Variables of an enclosing git command (a hook) would point to another repository.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    try:
        command = ["git", "-C", str(folder), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False, env=environment)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
