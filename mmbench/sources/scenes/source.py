"""The source ``scenes``: generated items, nothing on disk, any item in constant time."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from mmbench.core.bounds import Bounds
from mmbench.core.errors import SampleError, UsageError
from mmbench.core.registry import source
from mmbench.core.sample import Sample
from mmbench.core.source import Modality, SourceRequest
from mmbench.sources.scenes import SPEC_VERSION, depth, rgb
from mmbench.sources.scenes.bounds import TAG, bounds_of
from mmbench.sources.scenes.observation import classes_of
from mmbench.sources.scenes.regimes import REGIMES
from mmbench.sources.scenes.scene import MODALITIES, Scene, label_map, scene_of
from mmbench.sources.scenes.signature import label_count, signature_map

TASKS = ("seg",)
SPLITS = ("train", "val", "test")
# Items of each split. Latents of a smaller tier are the first of a larger one; with the same canvas so are the bytes.
TIERS = MappingProxyType(
    {
        "smoke": (256, 256, 256),
        "ci": (2_048, 512, 1_024),
        "std": (10_240, 1_024, 4_096),
        "full": (51_200, 5_120, 10_240),
    }
)
CANVAS = MappingProxyType({"smoke": 64, "ci": 64, "std": 96, "full": 96})

_DEFAULTS = {"task": "seg", "regime": "X", "tier": "ci"}
_CHOICES = {"task": TASKS, "regime": REGIMES, "tier": tuple(TIERS)}


@source("scenes")
@dataclass(frozen=True)
class SceneSource:
    """Generated RGB and depth scenes, where fusion is necessary and the ceiling is known.

    A sample has ``rgb`` uint8 [H, W, 3], ``depth`` float32 [H, W] in metres and a label map uint8 [H, W] (0 background,
    1..k the class of an object; nothing is ignored). H = W = 64 at the tiers smoke and ci, 96 at std and full.
    """

    task: str
    regime: str
    tier: str
    split: str

    @classmethod
    def open(cls, request: SourceRequest) -> SceneSource:
        """Opens a split; ``task``, ``regime`` and ``tier`` may stand in the source's params or be suite parameters.

        Raises UsageError on any other parameter, value or split.
        """
        chosen = {**request.spec.source.params, **request.parameters}
        for name, value in chosen.items():
            if name not in _CHOICES:
                raise UsageError(f"The source scenes has no parameter {name!r}; it has: {', '.join(_CHOICES)}.")
            _expect(name, value, _CHOICES[name])
        _expect("split", request.split, SPLITS)
        return cls(split=request.split, **{**_DEFAULTS, **chosen})

    @property
    def classes(self) -> tuple[str, ...]:
        """``background``, then class-1 to class-k."""
        return ("background", *(f"class-{label}" for label in range(1, classes_of(self.regime))))

    @property
    def modalities(self) -> Mapping[str, Modality]:
        """Both are always present."""
        return {"rgb": Modality("rgb", "image", 3), "depth": Modality("depth", "plane", 1, unit="m", scale=1.5)}

    @property
    def ignore(self) -> None:
        """Every pixel is scored."""
        return

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """``test/000000`` and so on."""
        return tuple(f"{self.split}/{index:06d}" for index in range(self._count))

    def load(self, sample_id: str) -> Sample:
        """Renders one item; in regime X its tag ``regime`` names the law that it follows."""
        scene = self._scene(sample_id)
        inputs = {"rgb": rgb.render(scene), "depth": depth.render(scene)}
        tags = {TAG: scene.law.name} if self.regime == "X" else {}
        return Sample(sample_id, inputs, label_map(scene), tags=tags)

    def stamp(self, sample_id: str) -> str:
        """The generator's version and parameters, which with the id fix the bytes."""
        parameters = f"task={self.task},regime={self.regime},canvas={CANVAS[self.tier]}"
        return f"scenes@{SPEC_VERSION}[{parameters}]/{sample_id}"

    def stratum(self, sample_id: str) -> str:
        """The law that the item follows."""
        return self._scene(sample_id).law.name

    def signature(self, sample_id: str, modality: str) -> NDArray[np.uint8]:
        """uint8 [H, W] of what the modality alone shows (``scenes.signature``)."""
        return signature_map(self._scene(sample_id), self.regime, _position(modality))

    def signature_classes(self, modality: str) -> int:
        """Number of labels that ``signature`` may hold."""
        return label_count(self.regime, _position(modality))

    def bounds(self, sample_ids: Sequence[str]) -> tuple[Bounds, ...]:
        """Bounds of ``miou`` on exactly these items: over all, then in regime X for each law."""
        return bounds_of(self.regime, [self._scene(sample_id) for sample_id in sample_ids])

    @property
    def _count(self) -> int:
        return TIERS[self.tier][SPLITS.index(self.split)]

    def _scene(self, sample_id: str) -> Scene:
        match = re.fullmatch(rf"{self.split}/([0-9]{{6}})", sample_id)
        if match is None or int(match[1]) >= self._count:
            raise SampleError(f"There is no item {sample_id!r}; tier {self.tier} has {self.ids[0]} to {self.ids[-1]}.")
        return scene_of(self.task, self.regime, self.split, int(match[1]), CANVAS[self.tier])


def _position(modality: str) -> int:
    _expect("modality", modality, MODALITIES)
    return MODALITIES.index(modality)


def _expect(name: str, value: object, choices: Sequence[str]) -> None:
    if value not in choices:
        raise UsageError(f"The source scenes has no {name} {value!r}; expected one of: {', '.join(choices)}.")
