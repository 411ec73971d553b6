"""Pictures written for a test, and suites made of a table of parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from mmbench.core import registry
from mmbench.core.source import Source, SourceRequest
from mmbench.core.suite import SuiteSpec
from mmbench.sources.annotated import AnnotatedSource
from mmbench.sources.folders import FolderSource
from mmbench.sources.manifest import ManifestSource


class Data:
    """A data root that a test fills. Pixels are random but for labels; the size is 6 x 8."""

    size = (6, 8)

    def __init__(self, root: Path) -> None:
        self.root = root
        self._random = np.random.Generator(np.random.Philox(0))

    def text(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def picture(self, path: str, pixels: NDArray[Any], **options: Any) -> NDArray[Any]:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(pixels).save(file, **options)
        return pixels

    def rgb(self, path: str, channels: int = 3, size: tuple[int, int] | None = None) -> NDArray[Any]:
        shape = (*(size or self.size), channels)
        return self.picture(path, self._random.integers(0, 256, shape, np.uint8))

    def depth(self, path: str, largest: int = 65_535, size: tuple[int, int] | None = None) -> NDArray[Any]:
        return self.picture(path, self._random.integers(0, largest + 1, size or self.size, np.uint16))

    def labels(self, path: str, values: int | list[int]) -> NDArray[Any]:
        """Every value occurs; an int means 0 up to it."""
        known = np.arange(values) if isinstance(values, int) else np.array(values)
        pixels = np.resize(known, self.size).astype(np.uint8)
        return self.picture(path, pixels)


@pytest.fixture
def data(tmp_path: Path) -> Data:
    return Data(tmp_path)


def _spec(kind: str, params: Mapping[str, Any], **changes: Any) -> SuiteSpec:
    content = {
        "name": "toy",
        "version": 1,
        "title": "Toy",
        "task": "segmentation",
        "modalities": list(params["modalities"]),
        "metrics": ["miou"],
        "primary": "miou",
        "source": {"kind": kind, "params": params},
    }
    return SuiteSpec.model_validate(content | changes)


@pytest.fixture
def open_toy(data: Data) -> Callable[..., Source]:
    """Opens a split of ``params`` on the test's data, without a suite file."""

    def opened(
        kind: str,
        params: Mapping[str, Any],
        split: str = "test",
        parameters: Mapping[str, str] | None = None,
        rooted: bool = True,
        **changes: Any,
    ) -> Source:
        factory = {"folders": FolderSource, "manifest": ManifestSource}[kind]
        root = data.root if rooted else None
        return factory.open(SourceRequest(_spec(kind, params, **changes), parameters or {}, root, split))

    return opened


@pytest.fixture
def open_annotated(data: Data) -> Callable[..., AnnotatedSource]:
    """Opens a source of one annotation file that lies in the test's data: ``open_annotated(kind, task, params)``."""

    def opened(
        kind: str,
        task: str,
        params: Mapping[str, Any],
        parameters: Mapping[str, str] | None = None,
        split: str = "test",
        root: Path | None = data.root,
    ) -> AnnotatedSource:
        spec = _spec(kind, {**params, "modalities": ["image"]}, task=task)
        spec = spec.model_copy(update={"source": spec.source.model_copy(update={"params": dict(params)})})
        found: AnnotatedSource = registry.source.get(kind).open(SourceRequest(spec, parameters or {}, root, split))
        return found

    return opened
