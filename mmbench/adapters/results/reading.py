"""From a result file to predictions by sample id."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from mmbench.adapters.results.by_id import TEXTS, is_by_id
from mmbench.core.errors import LoadError, UsageError
from mmbench.core.model import ModelInfo
from mmbench.core.prediction import Prediction
from mmbench.core.source import Source
from mmbench.core.suite import SuiteSpec

Reader = Callable[[Path, SuiteSpec, Source], Mapping[str, Prediction]]

# Tasks whose predictions come in one file, and the module that reads it (imported on use).
_READERS = {
    "captioning": "captions",
    "vqa": "answers",
    "classification": "class_scores",
    "detection": "detections",
    "instance-segmentation": "detections",
    "keypoints": "detections",
}


@dataclass(frozen=True, slots=True)
class Results:
    """The predictions of one system; ``digest`` is over the bytes of the file, 16 hex digits."""

    name: str
    path: Path
    digest: str
    predictions: Mapping[str, Prediction]

    def info(self, spec: SuiteSpec) -> ModelInfo:
        """The system as a model: it takes no input."""
        return ModelInfo(self.name, f"predictions:{self.path}", spec.task, (), self.digest)


def has_result_files(task: str) -> bool:
    """Whether predictions of this task come in one file."""
    return task in _READERS


def read_results(path: Path, spec: SuiteSpec, source: Source) -> Results:
    """Reads the file of the suite's task.

    Raises LoadError when the file is missing or malformed (with line, key or id), or names a sample twice or one that
    the suite does not have; UsageError for a task without result files.
    """
    if not has_result_files(spec.task):
        raise UsageError(f"Suite {spec.name!r} is of task {spec.task}, whose predictions are a folder, not a file.")
    if not path.is_file():
        raise LoadError(f"There is no result file {str(path)!r}; check --predictions.")
    reader = "by_id" if spec.task in TEXTS and is_by_id(path) else _READERS[spec.task]
    read: Reader = import_module(f"mmbench.adapters.results.{reader}").read
    predictions = read(path, spec, source)
    _check_known(path, predictions, source, spec)
    digest = hashlib.blake2b(path.read_bytes(), digest_size=8).hexdigest()
    return Results(path.stem, path, digest, predictions)


def _check_known(path: Path, predictions: Mapping[str, Prediction], source: Source, spec: SuiteSpec) -> None:
    known = set(source.ids)
    unknown = [sample_id for sample_id in predictions if sample_id not in known]
    if not predictions:
        raise LoadError(f"The results {str(path)!r} hold no prediction.")
    if unknown:
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        raise LoadError(
            f"The results {str(path)!r} name {unknown[0]!r}{more}, which suite {spec.name!r} does not have; score them "
            "with the annotations of their split."
        )
