"""Bounds of mean IoU on exactly the items that were drawn."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmbench.core.bounds import Bounds
from mmbench.sources.scenes import SPEC_VERSION
from mmbench.sources.scenes.observation import Columns, classes_of, pixels_of, table_of
from mmbench.sources.scenes.policy import best_policy
from mmbench.sources.scenes.regimes import LAWS, MIXED
from mmbench.sources.scenes.scene import MODALITIES, Scene

METRIC = "miou"
TAG = "regime"
# Values are shown with far fewer; rounding hides the last bits, in which platforms differ.
_DIGITS = 6


def bounds_of(regime: str, scenes: Sequence[Scene]) -> tuple[Bounds, ...]:
    """Bounds of ``miou`` over all scenes, then, in regime X, over those of each law that occurs."""
    if not scenes:
        return ()
    objects = pixels_of(scenes)
    pixels = scenes[0].canvas ** 2
    overall = _bounds(regime, objects, pixels * len(scenes))
    if regime != "X":
        return (overall,)
    return (overall, *_slices(objects, [scene.law.name for scene in scenes], pixels))


def _slices(objects: Columns, names: Sequence[str], pixels: int) -> list[Bounds]:
    return [
        _bounds(name, objects[objects[:, 0] == LAWS[name].cue], pixels * names.count(name), slice_name=name)
        for name in MIXED
        if name in names
    ]


def _bounds(regime: str, objects: Columns, pixels: int, slice_name: str = "") -> Bounds:
    def best(observed: Sequence[int]) -> float:
        table = table_of(objects, observed, classes_of(regime), pixels)
        return round(best_policy(np.asarray(table)).value, _DIGITS)

    everything = range(len(MODALITIES))
    fused = best(everything)
    return Bounds(
        metric=METRIC,
        chance=best(()),
        unimodal={name: best((m,)) for m, name in enumerate(MODALITIES)},
        fused=fused,
        additive=fused if regime in LAWS and LAWS[regime].additive else None,
        spec_version=SPEC_VERSION,
        tag=TAG if slice_name else "",
        value=slice_name,
    )
