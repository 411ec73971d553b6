"""How much processes differ on this machine: measured once by ``mmbench doctor --calibrate``, used where one process is
all there is.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from mmbench.core.errors import UsageError
from mmbench.perf.preflight import fingerprint

# Of the facts, those that belong to the machine and not to what is run on it.
_MACHINE = ("cpu", "cpus", "machine", "protocol", "gpu", "driver")


def file() -> Path:
    """Where it is kept: ``mmbench/calibration.json`` in the user's cache folder."""
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "mmbench" / "calibration.json"


def keep(facts: dict[str, Any], effect: float, processes: int) -> Path:
    """Writes the relative standard deviation between processes of this machine."""
    known = _known()
    known[_key(facts)] = {"process_effect": effect, "processes": processes}
    target = file()
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    return target


def process_effect(facts: dict[str, Any]) -> float:
    """The relative standard deviation between processes; raises UsageError when this machine was not calibrated."""
    found = _known().get(_key(facts))
    if found is None:
        raise UsageError(
            "A resident run knows one process alone and needs the process effect of this machine; measure it once with "
            f"mmbench doctor --calibrate{' --device cuda' if 'gpu' in facts else ''}."
        )
    return float(found["process_effect"])


def _key(facts: dict[str, Any]) -> str:
    return fingerprint({name: facts[name] for name in _MACHINE if name in facts})


def _known() -> dict[str, Any]:
    try:
        found = json.loads(file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
