"""Writes pins.json: what the generator gives now. Run it only together with a raised SPEC_VERSION.

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


def main() -> None:
    spec, _ = load_suite("seg")

    def opened(regime: str, tier: str, split: str) -> SceneSource:
        return SceneSource.open(SourceRequest(spec, {"regime": regime, "tier": tier}, None, split))

    def digest(source: SceneSource) -> str:
        text = "".join(source.load(i).digest() for i in source.ids[:64])
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

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
    Path(__file__).with_name("pins.json").write_text(json.dumps(pins, indent=1) + "\n")


if __name__ == "__main__":
    main()
