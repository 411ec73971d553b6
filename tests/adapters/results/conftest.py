"""What a result file is read against: a suite of a task, and a source of a few samples."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from mmbench.core import registry
from mmbench.core.source import SourceRequest
from mmbench.core.suite import SuiteSpec
from mmbench.sources.annotated import AnnotatedItem, AnnotatedSource


def suite_of(task: str, **params: Any) -> SuiteSpec:
    content = {
        "name": "toy",
        "version": 1,
        "title": "Toy",
        "task": task,
        "modalities": ["image"],
        "metrics": ["any"],
        "primary": "any",
        "source": {"kind": "coco", "params": params},
    }
    return SuiteSpec.model_validate(content)


@pytest.fixture
def suite() -> Callable[..., SuiteSpec]:
    """``suite(task, **params)``."""
    return suite_of


@pytest.fixture
def samples(tmp_path: Path) -> Callable[..., AnnotatedSource]:
    """A source of samples with these ids."""
    return lambda *ids: AnnotatedSource(tmp_path, tuple(AnnotatedItem(sample_id, ("a",)) for sample_id in ids), "")


@pytest.fixture
def coco(tmp_path: Path) -> Callable[[str, Mapping[str, Any]], AnnotatedSource]:
    """The source of a file of COCO, read for a task."""

    def build(task: str, content: Mapping[str, Any]) -> AnnotatedSource:
        (tmp_path / "truth.json").write_text(json.dumps(content))
        request = SourceRequest(suite_of(task, annotations="truth.json"), {}, tmp_path, "test")
        found: AnnotatedSource = registry.source.get("coco").open(request)
        return found

    return build


@pytest.fixture
def written(tmp_path: Path) -> Callable[[Any], Path]:
    """Writes a result file, a text as it is."""

    def write(content: Any) -> Path:
        file = tmp_path / "results.json"
        file.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        return file

    return write
