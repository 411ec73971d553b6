"""Segmentation: the class of each object, bound by a law to what RGB and depth show of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mmbench.core.bounds import Bounds
from mmbench.core.sample import Array
from mmbench.core.source import Modality
from mmbench.sources.scenes import depth, rgb
from mmbench.sources.scenes.bounds import bounds_of
from mmbench.sources.scenes.observation import classes_of
from mmbench.sources.scenes.regimes import REGIMES
from mmbench.sources.scenes.scene import MODALITIES, Scene, label_map, scene_of
from mmbench.sources.scenes.signature import label_count, signature_map
from mmbench.sources.scenes.tasks.task import DEPTH, TAG, Item


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Segmentation of RGB and depth; a sample's target is a label map uint8 [H, W], 0 is background."""

    name: str = "seg"
    modalities: tuple[Modality, ...] = (Modality("rgb", "image", 3), DEPTH)
    regimes: tuple[str, ...] = REGIMES
    parts: int = 1

    def classes(self, regime: str) -> tuple[str, ...]:
        """``background``, then class-1 to class-k."""
        return ("background", *(f"class-{label}" for label in range(1, classes_of(regime))))

    def inputs(self, item: Item) -> dict[str, Any]:
        """``rgb`` uint8 [H, W, 3], ``depth`` float32 [H, W] in metres."""
        scene = self._scene(item)
        return {"rgb": rgb.render(scene), "depth": depth.render(scene)}

    def target(self, item: Item) -> Any:
        """uint8 [H, W]."""
        return label_map(self._scene(item))

    def tags(self, item: Item) -> dict[str, str]:
        """In regime X, the law."""
        return {TAG: self.stratum(item)} if item.regime == "X" else {}

    def stratum(self, item: Item) -> str:
        """The law."""
        return self._scene(item).law.name

    def signature(self, item: Item, modality: str) -> Array:
        """uint8 [H, W] (``scenes.signature``)."""
        return signature_map(self._scene(item), item.regime, MODALITIES.index(modality))

    def signature_classes(self, regime: str, modality: str) -> int:
        """Number of labels ``signature`` may hold."""
        return label_count(regime, MODALITIES.index(modality))

    def bounds(self, regime: str, items: Sequence[Item]) -> tuple[Bounds, ...]:
        """Bounds of ``miou``."""
        return bounds_of(regime, [self._scene(item) for item in items])

    def policies(self, items: Sequence[Item], observed: Sequence[str]) -> Mapping[str, list[Any]]:  # noqa: ARG002
        """None: the bounds are complete."""
        return {}

    def traits(self, item: Item) -> Mapping[str, frozenset[str]]:
        """The pairs of shape and colour."""
        return {"pairs": frozenset(f"{thing.shape} {thing.colour}" for thing in self._scene(item).things)}

    def _scene(self, item: Item) -> Scene:
        """The latents of an item."""
        return scene_of(self.name, item.regime, item.split, item.scene, item.canvas)
