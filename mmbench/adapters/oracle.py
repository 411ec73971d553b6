"""``oracle:joint``, ``oracle:rgb``, ``oracle:image+text``, ``oracle:additive``: generated scenes decoded by rule."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

from mmbench.core.errors import LoadError, SampleError
from mmbench.core.key import digest_of
from mmbench.core.model import Model, ModelInfo, ModelRequest
from mmbench.core.prediction import Prediction
from mmbench.core.registry import adapter
from mmbench.core.sample import Batch
from mmbench.sources.scenes import SPEC_VERSION
from mmbench.sources.scenes.oracles.catalogue import oracle_for
from mmbench.sources.scenes.predictions import prediction_of
from mmbench.sources.scenes.source import SceneSource

JOINT, ADDITIVE = "joint", "additive"


@adapter("oracle", example="oracle:joint")
def open_oracle(request: ModelRequest) -> Model:
    """Reads a generated suite's inputs by rule: joint (all), some of them as in rgb or image+text, additive."""
    if not isinstance(request.source, SceneSource):
        raise LoadError(
            f"{request.locator} decodes generated scenes, but suite {request.spec.name!r} is not generated; give it "
            "another model."
        )
    return OracleModel(request.source, _observed(request), request)


class OracleModel:
    """The decoder of ``sources.scenes.oracles`` for the suite's task and the modalities ``observed``."""

    def __init__(self, source: SceneSource, observed: tuple[str, ...], request: ModelRequest) -> None:
        self._oracle = oracle_for(source, observed, additive=request.target == ADDITIVE)
        self._classes = source.classes
        self._info = ModelInfo(
            name=request.locator,
            locator=request.locator,
            task=request.spec.task,
            modalities=observed,
            digest=digest_of([SPEC_VERSION, source.task, source.regime, source.tier, request.target]),
            parameters=0,
        )

    @property
    def info(self) -> ModelInfo:
        """Who the oracle is; ``digest`` is over the generator's version and what is decoded."""
        return self._info

    def predict(self, batch: Batch) -> list[Prediction | SampleError]:
        """One prediction per sample; a SampleError for one that lacks an input or cannot be read."""
        return [self._outcome(place, sample_id, batch) for place, sample_id in enumerate(batch.ids)]

    def _outcome(self, place: int, sample_id: str, batch: Batch) -> Prediction | SampleError:
        inputs = {name: batch.inputs[name][place] for name in self._info.modalities}
        absent = [name for name, value in inputs.items() if value is None]
        if absent:
            return SampleError(f"{sample_id!r} has no {absent[0]}, which {self._info.name} reads.")
        try:
            found = self._oracle.predict(sample_id, inputs)
        except (ValueError, LookupError, StopIteration) as error:  # a rendering that was changed
            return SampleError(f"{self._info.name} cannot read {sample_id!r} ({error}).")
        return prediction_of(sample_id, found, self._classes)


def _observed(request: ModelRequest) -> tuple[str, ...]:
    """The modalities that the target names, in the suite's order; raises LoadError that lists what there is."""
    names = tuple(request.modalities)
    classifies = request.spec.task == "classification"
    if request.target == JOINT or (request.target == ADDITIVE and classifies):
        return names
    chosen = request.target.split("+")
    if len(set(chosen)) == len(chosen) and set(chosen) <= set(names):
        return tuple(name for name in names if name in chosen)
    known = [JOINT, *([ADDITIVE] if classifies else []), *_subsets(names)]
    raise LoadError(
        f"Suite {request.spec.name!r} has no oracle:{request.target}; it has: "
        f"{', '.join(f'oracle:{name}' for name in known)}."
    )


def _subsets(names: tuple[str, ...]) -> Iterable[str]:
    return ("+".join(chosen) for size in range(1, len(names)) for chosen in combinations(names, size))
