"""Combinations that a generality split holds out: never seen in training, all there in the test (as in CLEVR-CoGenT).

Each part of a combination (a colour, a shape) is seen in training, only not together.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mmbench.sources.scenes.geometry import SHAPES
from mmbench.sources.scenes.scene import COLOURS

NOTHING = "none"
# The tasks whose bounds hold on held-out combinations too: the class follows from signatures, of which neither colour,
# shape nor number of objects tells anything. Elsewhere they are what is asked for, and no longer equally likely.
BOUNDED = ("seg", "det", "cls-it", "cls-av", "cls-iat")

# By kind of ``SceneSource.traits``: one colour of each shape; the larger numbers of objects; one wording of each type.
HELD_OUT: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "pairs": frozenset(f"{shape} {(3 * shape + 1) % COLOURS}" for shape in range(len(SHAPES))),
        "objects": frozenset({"5", "6", "7"}),
        "templates": frozenset(
            {"0", *(f"{kind} 0" for kind in ("exists", "colour", "shape", "pattern", "count", "place"))}
        ),
    }
)
