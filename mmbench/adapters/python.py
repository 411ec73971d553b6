"""``python:module:factory`` or ``python:path.py:factory``: whatever the user's function returns."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import numpy as np

from mmbench.adapters.fit import check_spatial, lacks, missing
from mmbench.adapters.labels import label_map
from mmbench.adapters.user_code import UserCode, load_user_code, user_code
from mmbench.adapters.wiring import declared_modalities
from mmbench.core.errors import LoadError, SampleError
from mmbench.core.model import Model, ModelInfo, ModelRequest
from mmbench.core.prediction import Prediction
from mmbench.core.registry import adapter
from mmbench.core.sample import Batch


@adapter("python", example="python:my_model.py:build")
def open_python(request: ModelRequest) -> Model:
    """A function of yours that returns a torch module, or any object with predict(batch); needs no torch by itself."""
    code = load_user_code(request.target, "python:")
    return adapted(code.build(dict(request.options.arch_kwargs)), code, request)


def adapted(built: Any, code: UserCode, request: ModelRequest) -> Model:
    """A torch module, or any object with predict(batch), as a Model; raises LoadError for anything else."""
    check_spatial(request.locator, request)
    if "torch" in sys.modules and isinstance(built, sys.modules["torch"].nn.Module):
        return _torch_model(built, code, request)
    if callable(getattr(built, "predict", None)):
        return ObjectModel(built, code, request)
    raise LoadError(
        f"{request.locator} returned an object of type {type(built).__name__}; expected a torch.nn.Module or an object "
        "with predict(batch)."
    )


class ObjectModel:
    """An object with full control: ``predict(batch)`` gets the Batch and returns {sample id: integer labels [H,W]}.

    It never sees samples that lack one of its modalities unless it declares ``accepts_missing``.
    Optional attributes: ``modalities``, ``accepts_missing``, ``digest`` (of its weights; without it, that of its source
    file stands in). In place of labels a SampleError says why one sample failed; an exception ends the run.
    """

    def __init__(self, thing: Any, code: UserCode, request: ModelRequest) -> None:
        self._thing = thing
        self._name = code.name
        self._classes = len(request.classes)
        self._info = ModelInfo(
            name=code.name,
            locator=request.locator,
            task=str(getattr(thing, "task", request.spec.task)),
            modalities=declared_modalities(thing, code.name) or tuple(request.modalities),
            digest=str(getattr(thing, "digest", code.digest)),
            accepts_missing=bool(getattr(thing, "accepts_missing", False)),
            preprocessing=_architecture(request),
            consents=(code.consent,),
        )

    @property
    def info(self) -> ModelInfo:
        """Who the model is."""
        return self._info

    def predict(self, batch: Batch) -> list[Prediction | SampleError]:
        """What the object predicts, by id; an id that it leaves out is a SampleError, a foreign one a LoadError."""
        if self._info.accepts_missing:
            return self._predicted(batch)
        absent = [missing(batch, index, self._info.modalities) for index in range(len(batch))]
        whole = [index for index, names in enumerate(absent) if not names]
        found = dict(zip(whole, self._predicted(batch.select(whole)) if whole else (), strict=True))
        return [
            found[index] if index in found else lacks(sample_id, absent[index], self._name)
            for index, sample_id in enumerate(batch.ids)
        ]

    def _predicted(self, batch: Batch) -> list[Prediction | SampleError]:
        with user_code(f"{self._name}.predict"):
            returned = self._thing.predict(batch)
        if not isinstance(returned, Mapping):
            raise LoadError(
                f"{self._name}.predict returned a {type(returned).__name__}; expected a dict of integer labels [H,W] "
                "by sample id."
            )
        foreign = [sample_id for sample_id in returned if sample_id not in batch.ids]
        if foreign:
            raise LoadError(f"{self._name}.predict returned the id {foreign[0]!r}, which is not in the batch.")
        return [self._outcome(i, size, returned.get(i)) for i, size in zip(batch.ids, batch.sizes, strict=True)]

    def _outcome(self, sample_id: str, size: tuple[int, int], labels: Any) -> Prediction | SampleError:
        if labels is None or isinstance(labels, SampleError):
            return labels or SampleError(f"{self._name}.predict returned nothing for {sample_id!r}.")
        if not isinstance(labels, np.ndarray) or labels.ndim != 2 or labels.dtype.kind not in "iu":
            kind = type(labels).__name__
            found = f"{labels.dtype} {list(labels.shape)}" if isinstance(labels, np.ndarray) else f"a {kind}"
            raise LoadError(
                f"{self._name}.predict returned {found} for {sample_id!r}; expected a numpy array of integer labels "
                "[H,W]."
            )
        return label_map(sample_id, labels, size, self._classes)


def _torch_model(module: Any, code: UserCode, request: ModelRequest) -> Model:
    from mmbench.adapters.fill import weights_of
    from mmbench.adapters.torch_model import Identity, TorchModel
    from mmbench.models.checkpoint import weights_digest

    weights = weights_of(module)
    digest = weights_digest(weights) if weights else code.digest
    return TorchModel(module, code.name, request, Identity(digest, {}, (code.consent,), _architecture(request)))


def _architecture(request: ModelRequest) -> dict[str, Any]:
    kwargs = dict(request.options.arch_kwargs)
    return {"arch": request.target} | ({"arch_kwargs": kwargs} if kwargs else {})
