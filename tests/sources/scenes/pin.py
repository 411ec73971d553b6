"""Writes pins.json (seg) and pins_tasks.json (the others). Run it only together with a raised SPEC_VERSION.

python tests/sources/scenes/pin.py
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from mmbench.content import load_suite
from mmbench.core.source import SourceRequest
from mmbench.sources.scenes import SPEC_VERSION
from mmbench.sources.scenes.regimes import REGIMES
from mmbench.sources.scenes.source import SPLITS, SceneSource
from mmbench.sources.scenes.tasks.catalogue import TASKS


def digest(source: SceneSource) -> str:
    text = "".join(source.load(i).digest() for i in source.ids[:64])
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def main() -> None:
    spec, _ = load_suite("seg")

    def opened(regime: str, tier: str, split: str) -> SceneSource:
        return SceneSource.open(SourceRequest(spec, {"regime": regime, "tier": tier}, None, split))

    def bounds(source: SceneSource) -> list[dict[str, object]]:
        return [
            {"value": b.value, "chance": b.chance, **b.unimodal, "fused": b.fused, "additive": b.additive}
            for b in source.bounds(source.ids)
        ]

    digests = {f"{r}/{s}/64": digest(opened(r, "smoke", s)) for r in REGIMES for s in SPLITS}
    pins = {
        "spec_version": SPEC_VERSION,
        "suite_version": spec.version,
        "digests": digests | {"X/test/96": digest(opened("X", "std", "test"))},
        "bounds": {r: bounds(opened(r, "smoke", "test")) for r in REGIMES},
    }
    write("pins.json", pins)
    others = [SceneSource(t, r, "smoke", s) for t, r in runs() for s in SPLITS]
    large = [SceneSource(t, TASKS[t].regimes[-1], "std", "test") for t in TASKS if t != "seg"]
    write("pins_tasks.json", {f"{o.task}/{o.regime}/{o.split}/{o.tier}": digest(o) for o in (*others, *large)})


def runs() -> list[tuple[str, str]]:
    """All tasks but seg with their regimes."""
    return [(name, regime) for name, task in TASKS.items() if name != "seg" for regime in task.regimes]


def write(name: str, pins: dict[str, object]) -> None:
    Path(__file__).with_name(name).write_text(json.dumps(pins, indent=1) + "\n")


if __name__ == "__main__":
    main()
