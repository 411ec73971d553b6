"""Detection: the objects of segmentation as boxes.

Regime H is left out: it is a control for metrics of one answer a sample. AP ranks by confidence, and two noisy views
that agree are surer than one, so that AP rises from .61 to .81 there (1,024 items).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmbench.core.bounds import Bounds
from mmbench.core.targets import Boxes
from mmbench.sources.scenes.label_chances import chances
from mmbench.sources.scenes.regimes import HIDDEN, REGIMES
from mmbench.sources.scenes.scene import MODALITIES, Thing
from mmbench.sources.scenes.tasks.dense import Segmentation
from mmbench.sources.scenes.tasks.task import Item


class Found(NamedTuple):
    """Detections of one image: boxes float64 [N, 4] as x1, y1, x2, y2, scores float64 [N], labels int64 [N]."""

    boxes: NDArray[np.float64]
    scores: NDArray[np.float64]
    labels: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Detection(Segmentation):
    """Detection in RGB and depth; a sample's target is ``Boxes``, in the order of the objects."""

    name: str = "det"
    regimes: tuple[str, ...] = tuple(name for name in REGIMES if name != "H")

    def classes(self, regime: str) -> tuple[str, ...]:
        """class-1 to class-k."""
        return super(Detection, self).classes(regime)[1:]

    def target(self, item: Item) -> Any:
        """``Boxes`` of all objects, hidden ones too."""
        things = self._scene(item).things
        boxes = np.array([_box(thing) for thing in things], dtype=np.float32)
        return Boxes(boxes, np.array([thing.label - 1 for thing in things], dtype=np.int64))

    def bounds(self, regime: str, items: Sequence[Item]) -> tuple[Bounds, ...]:  # noqa: ARG002
        """None here: the bounds of AP are the best scores of ``policies``."""
        return ()

    def policies(self, items: Sequence[Item], observed: Sequence[str]) -> Mapping[str, list[Any]]:
        """Detections by policy: each box with every class that is possible, scored by its chance, or with one.

        AP rewards the first: with k classes equally likely it gives about 1/k, one label a box about 1/k**2.
        """
        places = [MODALITIES.index(name) for name in observed]
        everything = [self._found(item, places, most=None) for item in items]
        return {"every class": everything, "one class": [self._found(item, places, most=1) for item in items]}

    def _found(self, item: Item, observed: Sequence[int], most: int | None) -> Found:
        scene = self._scene(item)
        rows = []
        for thing in scene.things:
            seen = {m: thing.shown[m] for m in observed}
            if any(value != HIDDEN for value in seen.values()):
                ranked = sorted(chances(scene.law, seen).items(), key=lambda pair: -pair[1])
                rows += [(*_box(thing), chance, label) for label, chance in ranked[:most]]
        table = np.array(rows, dtype=np.float64).reshape(-1, 6)
        return Found(table[:, :4], table[:, 4], table[:, 5].astype(np.int64))


def _box(thing: Thing) -> tuple[int, int, int, int]:
    return thing.left, thing.top, thing.left + thing.size, thing.top + thing.size
