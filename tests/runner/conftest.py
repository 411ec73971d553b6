"""What the runner's tests share: a toy suite in memory, models that answer from the pixels, and a silent progress."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmbench.core.errors import SampleError
from mmbench.core.model import ModelInfo
from mmbench.core.prediction import LabelMap, Prediction
from mmbench.core.record import Execution
from mmbench.core.sample import Batch
from mmbench.core.suite import SourceTable, SuiteReference, SuiteSpec
from mmbench.runner.measure import Prepared
from mmbench.runner.plan import make_plan
from mmbench.runner.suites import OpenedSuite

SPEC = SuiteSpec(
    name="toy",
    version=1,
    title="Toy",
    task="segmentation",
    modalities=("rgb", "depth"),
    metrics=("miou", "iou", "pixel_accuracy"),
    primary="miou",
    source=SourceTable(kind="none"),
)


class PixelModel:
    """Reads the label off the red channel and errs where depth is odd: integer arithmetic, so any batch size agrees."""

    def __init__(self, digest: str = "d0", answer: Callable[[Batch, list[Any]], list[Any]] | None = None) -> None:
        self.info = ModelInfo("pixels", "python:pixels", "segmentation", ("rgb", "depth"), digest, parameters=0)
        self.batches: list[tuple[str, ...]] = []
        self._answer = answer

    def predict(self, batch: Batch) -> list[Prediction | SampleError]:
        self.batches.append(batch.ids)
        rgb, depth = batch.inputs["rgb"], batch.inputs["depth"]
        labels = [r[..., 0] // 80 * (d.astype(np.int64) % 2 == 0) for r, d in zip(rgb, depth, strict=True)]
        maps = [LabelMap(i, found.astype(np.uint8)) for i, found in zip(batch.ids, labels, strict=True)]
        return self._answer(batch, maps) if self._answer else maps


@pytest.fixture
def toysource(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """The class ToySource, importable by name as long as the test runs."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "plugins"))
    from toysource import ToySource

    yield ToySource
    sys.modules.pop("toysource", None)


@pytest.fixture
def pixel_model() -> type[PixelModel]:
    return PixelModel


@pytest.fixture
def opened(toysource: Callable[..., Any]) -> Callable[..., OpenedSuite]:
    """A toy suite: ``opened(limit=.., seed=.., **fields of the source)``."""

    def build(limit: int | None = None, seed: int = 0, **fields: Any) -> OpenedSuite:
        reference = SuiteReference(name="toy", version=1, limit=limit, seed=seed)
        return OpenedSuite(SPEC, reference, toysource(**fields))

    return build


@pytest.fixture
def prepared(opened: Callable[..., OpenedSuite], pixel_model: type[PixelModel]) -> Callable[..., Prepared]:
    """A run that can start, with a model in memory: ``prepared(model=.., batch_size=.., **fields of opened)``."""

    def build(model: Any = None, batch_size: int = 4, key: str = "0123456789abcdef" * 2, **fields: Any) -> Prepared:
        suite = opened(**fields)
        plan = make_plan(suite.source, suite.reference, batch_size)
        execution = Execution(batch_size=batch_size, device="cpu", precision="fp32", threads=1)
        return Prepared(suite, model or pixel_model(), plan, execution, key)

    return build
