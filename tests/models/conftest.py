"""What the tests of models share: a small generated source with signatures, kept in memory, and configurations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbench.core.sample import Array, Sample
from mmbench.core.source import Modality
from mmbench.core.suite import SourceTable, SuiteReference, SuiteSpec
from mmbench.models import encoder_cache
from mmbench.models.config import ModelConfig, PictureConfig
from mmbench.models.data import Items
from mmbench.models.splits import Splits
from mmbench.models.tasks.dense import Segmentation
from mmbench.models.tasks.task import Labels

MODALITIES = {"rgb": Modality("rgb", "image", 3), "depth": Modality("depth", "plane", 1, "m", 4.0)}
SPEC = SuiteSpec(
    name="toy",
    version=1,
    title="Toy",
    task="segmentation",
    modalities=("rgb", "depth"),
    metrics=("miou",),
    primary="miou",
    source=SourceTable(kind="none"),
)


@dataclass(frozen=True)
class PlainSource:
    """A square on a plain ground: rgb shows one bit (light), depth another (near); its class is 1 + their xor."""

    split: str
    count: int = 24
    side: int = 16
    shift: int = 0
    modalities: Mapping[str, Modality] = field(default_factory=lambda: MODALITIES)
    classes: tuple[str, ...] = ("ground", "equal", "unequal")
    ignore: int | None = 255

    @property
    def ids(self) -> Sequence[str]:
        return tuple(f"{self.split}/{n}" for n in range(self.count))

    def load(self, sample_id: str) -> Sample:
        light, near, window = self._scene(sample_id)
        rgb = np.full((self.side, self.side, 3), 128, dtype=np.uint8)
        depth = np.full((self.side, self.side), 2.0, dtype=np.float32)
        target = np.zeros((self.side, self.side), dtype=np.uint8)
        rgb[window], depth[window], target[window] = (255 if light else 0), (1.0 if near else 3.0), 1 + (light ^ near)
        target[0, 0] = 255
        inputs = {"rgb": rgb, "depth": depth}
        return Sample(sample_id, {m: inputs[m] for m in self.modalities}, target)

    def stamp(self, sample_id: str) -> str:
        return f"{sample_id}+{self.shift}"

    def stratum(self, sample_id: str) -> str:
        return ""

    def _scene(self, sample_id: str) -> tuple[int, int, tuple[slice, slice]]:
        number = int(sample_id.partition("/")[2]) + self.shift
        top, left = 2 + number % 5, 2 + number // 5 % 5
        return number % 2, number // 2 % 2, (slice(top, top + 7), slice(left, left + 7))


@dataclass(frozen=True)
class SignedToySource(PlainSource):
    """The same, and it tells what each modality alone shows."""

    def signature(self, sample_id: str, modality: str) -> Array:
        light, near, window = self._scene(sample_id)
        labels = np.zeros((self.side, self.side), dtype=np.uint8)
        labels[window] = 1 + (light if modality == "rgb" else near)
        return labels

    def signature_classes(self, modality: str) -> int:
        return 3


@dataclass(frozen=True)
class Talking(PlainSource):
    """Classification: the light of a picture and a word, the class is their exclusive or; each knows its signature."""

    modalities: Mapping[str, Modality] = field(
        default_factory=lambda: {"rgb": Modality("rgb", "image", 3), "text": Modality("text", "text", 1)}
    )
    classes: tuple[str, ...] = ("equal", "unequal")
    ignore: int | None = None

    def load(self, sample_id: str) -> Sample:
        light, near, _ = self._scene(sample_id)
        rgb = np.full((self.side, self.side, 3), 200 if light else 40, dtype=np.uint8)
        return Sample(sample_id, {"rgb": rgb, "text": f"it is {'near' if near else 'far'}"}, light ^ near)

    def signature(self, sample_id: str, modality: str) -> Any:
        light, near, _ = self._scene(sample_id)
        return np.array(light if modality == "rgb" else near)

    def signature_classes(self, modality: str) -> int:
        return 2


def _splits(kind: type[PlainSource]) -> Splits:
    return Splits(SPEC, SuiteReference(name="toy", version=1), kind("train"), kind("val", count=8, shift=100))


ItemsOf = Callable[..., Items]


@pytest.fixture
def items_of() -> ItemsOf:
    """``items_of(source, modalities, size=...)``: items of segmentation; the source's ignored label is left out."""

    def make(source: PlainSource, modalities: Mapping[str, Modality] | None = None, **more: Any) -> Items:
        labels = Labels(source.classes, source.ignore, more.get("size"))
        return Items(source, source.modalities if modalities is None else modalities, Segmentation(), labels, **more)

    return make


@pytest.fixture
def splits() -> Splits:
    """Two splits that know no signatures."""
    return _splits(PlainSource)


@pytest.fixture
def signed() -> Splits:
    """Two splits that know signatures."""
    return _splits(SignedToySource)


@pytest.fixture
def talking(splits: Splits) -> Splits:
    """Two splits of pictures with texts."""
    table = {"task": "classification", "modalities": ("rgb", "text"), "metrics": ("accuracy",), "primary": "accuracy"}
    spec = splits.spec.model_copy(update=table)
    return Splits(spec, splits.reference, Talking("train"), Talking("val", count=8, shift=100))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An encoder cache of the test's own."""
    monkeypatch.setenv("MMBENCH_CACHE", str(tmp_path / "cache"))
    return encoder_cache.folder()


INPUTS = {
    "rgb": PictureConfig(kind="image", channels=3, mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.1)),
    "depth": PictureConfig(kind="plane", channels=1, mean=(2.0,), std=(0.5,)),
}


@pytest.fixture
def config() -> ModelConfig:
    """A small model of two modalities."""
    return ModelConfig(task="segmentation", classes=("ground", "a", "b"), inputs=INPUTS, width=4, fusion="concat")
