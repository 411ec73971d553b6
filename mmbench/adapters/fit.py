"""Does a model fit a suite? Each check says what the model has and what the suite has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from mmbench.core.errors import LoadError, SampleError
from mmbench.core.model import ModelRequest
from mmbench.core.sample import Batch


class Input(Protocol):
    """What is compared of an input: see ``core.source.Modality``."""

    @property
    def kind(self) -> str:
        """``image`` or ``plane``."""

    @property
    def channels(self) -> int:
        """Number of channels."""


def check_task(name: str, task: str, request: ModelRequest) -> None:
    """Raises LoadError unless the model's task is the suite's."""
    if task != request.spec.task:
        raise LoadError(
            f"The model {name!r} is for {task}, but suite {request.spec.name!r} is {request.spec.task}; "
            "choose a suite of the model's task."
        )


def check_spatial(name: str, request: ModelRequest) -> None:
    """Raises LoadError unless the suite's predictions are label maps, which is all that most adapters make."""
    if not request.spec.spatial:
        raise LoadError(
            f"The model {name!r} gives label maps, but suite {request.spec.name!r} is {request.spec.task}; choose a "
            "suite of segmentation, or score a result file with mmbench score."
        )


def check_modalities(name: str, needed: Iterable[str], request: ModelRequest) -> None:
    """Raises LoadError when the model needs an input that the suite does not have."""
    absent = [m for m in needed if m not in request.modalities]
    if absent:
        raise LoadError(
            f"The model {name!r} needs modality {', '.join(map(repr, absent))}, but suite {request.spec.name!r} has "
            f"{', '.join(request.modalities)}; choose another suite, or name the inputs with --map."
        )


def check_inputs(name: str, inputs: Mapping[str, Input], request: ModelRequest) -> None:
    """Raises LoadError unless the suite has every input, of the same kind and number of channels."""
    check_modalities(name, inputs, request)
    for m, mine in inputs.items():
        theirs = request.modalities[m]
        if (mine.kind, mine.channels) != (theirs.kind, theirs.channels):
            raise LoadError(
                f"The model {name!r} takes {m!r} as {mine.kind} with {mine.channels} channels, but suite "
                f"{request.spec.name!r} has {theirs.kind} with {theirs.channels}; use a model that was trained for it."
            )


def check_class_count(name: str, found: int, request: ModelRequest) -> None:
    """Raises LoadError unless the model predicts as many classes as the suite has."""
    if found != len(request.classes):
        raise LoadError(
            f"The model {name!r} predicts {found} classes, but suite {request.spec.name!r} has {len(request.classes)} "
            f"({_shortened(request.classes)}); use a model that was trained for these classes."
        )


def check_classes(name: str, found: Sequence[str], request: ModelRequest) -> None:
    """Raises LoadError unless the model's class names are the suite's, in the same order."""
    check_class_count(name, len(found), request)
    for index, (mine, theirs) in enumerate(zip(found, request.classes, strict=True)):
        if mine != theirs:
            raise LoadError(
                f"The model {name!r} was trained with class {index} = {mine!r}, but in suite {request.spec.name!r} "
                f"class {index} is {theirs!r}; use a model that was trained for these classes."
            )


def missing(batch: Batch, index: int, modalities: Iterable[str]) -> list[str]:
    """Those of ``modalities`` that the sample at ``index`` has not."""
    return [m for m in modalities if m in batch.inputs and batch.inputs[m][index] is None]


def lacks(sample_id: str, absent: Sequence[str], name: str) -> SampleError:
    """Why a sample without some inputs has no prediction of the model ``name``."""
    return SampleError(
        f"The sample {sample_id!r} has no {', '.join(absent)}, and the model {name!r} does not declare accepts_missing."
    )


def _shortened(names: Sequence[str], limit: int = 6) -> str:
    return ", ".join(names[:limit]) + (", ..." if len(names) > limit else "")
