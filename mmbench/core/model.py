"""What a model is to the runner, and what an adapter is asked for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from mmbench.core.errors import SampleError
from mmbench.core.prediction import Prediction
from mmbench.core.sample import Batch
from mmbench.core.source import Modality, Source
from mmbench.core.suite import SuiteSpec


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """Identity of a model: what belongs to a row of the leaderboard.

    ``digest`` is over the weights' bytes (names, dtypes, shapes, values), whatever file they came from; for predictions
    on disk it is over the files. ``parameters`` is their number, None where there are none. ``consents`` lists what the
    user allowed (code that was run). ``preprocessing`` and ``training`` are as declared by the model.
    """

    name: str
    locator: str
    task: str
    modalities: tuple[str, ...]
    digest: str
    parameters: int | None = None
    accepts_missing: bool = False
    preprocessing: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)
    consents: tuple[str, ...] = ()


class Model(Protocol):
    """Anything that maps a batch of inputs to predictions."""

    @property
    def info(self) -> ModelInfo:
        """Who the model is."""

    def predict(self, batch: Batch) -> list[Prediction | SampleError]:
        """One outcome per sample, in the order of ``batch.ids``.

        A SampleError *instance* says why one sample has no prediction; a raised SampleError fails the whole batch, a
        raised LoadError says that the model cannot be used at all.
        """


@runtime_checkable
class StoredModel(Protocol):
    """A model whose answers lie in a file: only the samples that it names are measured, and none is executed."""

    @property
    def named(self) -> Collection[str]:
        """The ids that there are answers for."""

    @property
    def bare(self) -> bool:
        """Whether the samples are loaded without their inputs, since the official scorers ask for none."""


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """The flags of ``mmbench run`` that concern the model.

    ``partial`` allows weights that do not all fit, ``allow_code`` the programs that some formats hold and the
    code that a hub's repository brings. ``device_map`` is passed on to transformers; ``prompt`` is what a model that
    answers in text is asked. ``compile`` (``torch.compile``) and ``channels_last`` (memory layout) are for torch
    modules.
    """

    arch: str | None = None
    arch_kwargs: Mapping[str, Any] = field(default_factory=dict)
    key: str | None = None
    map: str | None = None
    output: str | None = None
    device: str = "auto"
    precision: str = "fp32"
    threads: int | None = None
    partial: bool = False
    allow_code: bool = False
    device_map: str | None = None
    prompt: str | None = None
    compile: bool = False
    channels_last: bool = False


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """What an adapter opens a model for. ``target`` is the locator without its scheme (a path, a name).

    ``source`` is for an adapter that must know how the data is made; models see samples only.
    """

    locator: str
    target: str
    spec: SuiteSpec
    classes: tuple[str, ...]
    modalities: Mapping[str, Modality]
    options: ModelOptions
    source: Source | None = None
