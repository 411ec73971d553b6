"""Writes pins.json: what the conditions give now. Run it only together with a raised VERSION.

python tests/conditions/pin.py
"""

from __future__ import annotations

import json
from pathlib import Path

from samples import MODALITIES, sample

from mmbench.conditions.catalogue import CONDITIONS


def main() -> None:
    pins = {
        f"{name}/{m}": [condition.apply(sample(), modality, s).digest()[:8] for s in range(6)]
        for name, condition in CONDITIONS.items()
        for m, modality in MODALITIES.items()
        if modality.kind in condition.kinds
    }
    Path(__file__).with_name("pins.json").write_text(json.dumps(pins, indent=1) + "\n")


if __name__ == "__main__":
    main()
