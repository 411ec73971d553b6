"""Detections in the format of COCO results; an image without any is scored as such, as by the official scorer."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mmbench.core.errors import UsageError
from mmbench.core.prediction import Prediction
from mmbench.core.source import Source
from mmbench.core.suite import SuiteSpec
from mmbench.sources.coco.results import read_results
from mmbench.sources.coco_objects import KINDS, CocoSource, detections_of


def read(path: Path, spec: SuiteSpec, source: Source) -> Mapping[str, Prediction]:
    """The detections of every image of the annotations; raises LoadError as the reader of COCO results does."""
    if not isinstance(source, CocoSource) or source.truth is None:
        raise UsageError(f"Suite {spec.name!r} does not read COCO files, so COCO results cannot be scored on it.")
    return detections_of(source.truth, read_results(path, source.truth, KINDS[spec.task]))
