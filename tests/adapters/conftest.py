"""What the adapters' tests share: a suite of two modalities and three classes, batches, and a user's module on disk."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbench.core.model import ModelOptions, ModelRequest
from mmbench.core.sample import Batch
from mmbench.core.source import Modality
from mmbench.core.suite import SourceTable, SuiteSpec

CLASSES = ("background", "cup", "ball")
MODALITIES = {"rgb": Modality("rgb", "image", 3), "depth": Modality("depth", "plane", 1, "m", 10.0)}
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

MY_FUSION = """
import torch

class MyFusion(torch.nn.Module):
    modalities = ("rgb", "depth")

    def __init__(self, width=4):
        super().__init__()
        self.a = torch.nn.Conv2d(3, width, 3, padding=1)
        self.b = torch.nn.Conv2d(1, width, 3, padding=1)
        self.norm = torch.nn.BatchNorm2d(2 * width)
        self.head = torch.nn.Conv2d(2 * width, 3, 1)

    def forward(self, rgb, depth):
        return self.head(torch.relu(self.norm(torch.cat([self.a(rgb), self.b(depth)], 1))))
"""


@dataclass
class ToySource:
    """The part of a source that ``open_model`` looks at."""

    classes: tuple[str, ...] = CLASSES
    modalities: Mapping[str, Modality] = field(default_factory=lambda: MODALITIES)
    ignore: int | None = 255
    ids: tuple[str, ...] = ()

    def load(self, sample_id: str) -> Any:
        raise NotImplementedError

    stamp = stratum = load


@pytest.fixture
def toy_source() -> ToySource:
    return ToySource()


@pytest.fixture
def toy_spec() -> SuiteSpec:
    return SPEC


@pytest.fixture
def request_for() -> Callable[..., ModelRequest]:
    """``request_for(locator, classes=..., modalities=..., **options)``."""

    def make(locator: str = "my.ckpt", **options: Any) -> ModelRequest:
        classes = options.pop("classes", CLASSES)
        modalities = options.pop("modalities", MODALITIES)
        target = options.pop("target", locator)
        options.setdefault("device", "cpu")
        return ModelRequest(locator, target, SPEC, classes, modalities, ModelOptions(**options))

    return make


@pytest.fixture
def batch_of() -> Callable[..., Batch]:
    """``batch_of([(H, W), ...], seed)``: items of random content whose predictions have the size of the input.

    The content of an item depends on its name and size alone, not on the batch it is in.
    """

    def make(sizes: list[tuple[int, int]], names: list[str] | None = None, absent: tuple[str, ...] = ()) -> Batch:
        names = names or [f"s{i}" for i in range(len(sizes))]
        rgb, depth = [], []
        for name, (height, width) in zip(names, sizes, strict=True):
            raw = np.random.Philox(key=sum(name.encode())).random_raw(height * width)
            rgb.append(np.stack([(raw >> np.uint64(8 * c)).astype(np.uint8) for c in range(3)], -1))
            depth.append(((raw >> np.uint64(24)) % np.uint64(1000)).astype(np.float32) / np.float32(100))
        shaped = {
            "rgb": tuple(v.reshape(*s, 3) for v, s in zip(rgb, sizes, strict=True)),
            "depth": tuple(v.reshape(s) for v, s in zip(depth, sizes, strict=True)),
        }
        inputs = {m: tuple(None for _ in v) if m in absent else v for m, v in shaped.items()}
        present = {m: np.array([x is not None for x in v]) for m, v in inputs.items()}
        return Batch(tuple(names), inputs, present, tuple(sizes))

    return make


@pytest.fixture
def write_module(tmp_path: Path) -> Callable[..., Path]:
    """Writes a user's Python file; the default is ``my_model.py`` with ``MyFusion``."""

    def write(text: str = MY_FUSION, name: str = "my_model.py") -> Path:
        path = tmp_path / name
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    return write
