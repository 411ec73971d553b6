"""Answers of a result file as a model: captions, answers, detections, class scores by sample id; needs no torch."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from mmbench.adapters.results.reading import Results, read_results
from mmbench.core.errors import LoadError, SampleError
from mmbench.core.model import ModelInfo, ModelRequest
from mmbench.core.prediction import Prediction
from mmbench.core.sample import Batch
from mmbench.sources.annotated import AnnotatedSource


class StoredResults:
    """Predictions by id; see ``core.model.StoredModel``."""

    def __init__(self, results: Results, info: ModelInfo, bare: bool) -> None:
        self._results = results
        self._info = info
        self._bare = bare

    @classmethod
    def open(cls, request: ModelRequest) -> StoredResults:
        """Reads the file of the suite's task; raises LoadError as ``results.reading.read_results`` does."""
        if request.source is None:
            raise LoadError(f"{request.locator} is read against the samples of a suite, and there is none.")
        results = read_results(Path(request.target), request.spec, request.source)
        # Official annotations come without their pictures; of other data, the run is one on the same samples as those
        # of models, and stands in their column.
        return cls(results, results.info(request.spec), isinstance(request.source, AnnotatedSource))

    @property
    def info(self) -> ModelInfo:
        """Who made the predictions; ``digest`` is over the bytes of the file."""
        return self._info

    @property
    def named(self) -> Collection[str]:
        """The ids that the file names; of detections all images."""
        return self._results.predictions.keys()

    @property
    def bare(self) -> bool:
        """Whether the samples are loaded without their inputs."""
        return self._bare

    def predict(self, batch: Batch) -> list[Prediction | SampleError]:
        """What the file holds, a SampleError for an id that it does not name."""
        return [self._outcome(sample_id) for sample_id in batch.ids]

    def _outcome(self, sample_id: str) -> Prediction | SampleError:
        found = self._results.predictions.get(sample_id)
        return SampleError(f"{self._results.path} holds nothing for {sample_id!r}.") if found is None else found
