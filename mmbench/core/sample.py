"""Samples and batches: what a source yields and what a model receives."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Sample:
    """One item of a suite.

    ``inputs`` maps a modality to its value; a modality that is not there is *absent*, which is not the same as zeros.
    Images uint8 [H,W,3] (or [H,W,C]); depth, thermal and near infrared float32 [H,W]; audio float32 [T]; text str.
    ``target`` of segmentation: uint8 or int16 label map [H,W] with the suite's ignore value where nothing is scored; of
    the other tasks see ``core.targets``.
    ``group`` is the unit of resampling (image, video, speaker); None means the sample is its own group.
    ``tags`` are the slices the sample belongs to.
    """

    id: str
    inputs: Mapping[str, Any]
    target: Any
    group: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def digest(self) -> str:
        """Digest of the content (inputs and target, dtypes and shapes), 32 hex digits: one changed pixel changes it."""
        state = hashlib.blake2b(digest_size=16)
        for name in sorted(self.inputs):
            _update(state, name, self.inputs[name])
        _update(state, "\0target", self.target)
        return state.hexdigest()


@dataclass(frozen=True, slots=True)
class Batch:
    """Samples on their way to a model, without their targets.

    ``inputs[m][b]`` is the value of modality m of sample b, None where absent; values of one batch may differ in size.
    ``present[m]`` is bool [B]. ``sizes[b]`` is the (height, width) the prediction must have; empty when the task has
    no spatial output.
    """

    ids: tuple[str, ...]
    inputs: Mapping[str, tuple[Any, ...]]
    present: Mapping[str, NDArray[np.bool_]]
    sizes: tuple[tuple[int, int], ...] = ()

    def __len__(self) -> int:
        return len(self.ids)

    def select(self, indices: Sequence[int]) -> Batch:
        """The samples at these indices, in this order."""
        inputs = {m: tuple(values[i] for i in indices) for m, values in self.inputs.items()}
        present = {m: there[list(indices)] for m, there in self.present.items()}
        sizes = tuple(self.sizes[i] for i in indices) if self.sizes else ()
        return Batch(tuple(self.ids[i] for i in indices), inputs, present, sizes)

    @classmethod
    def of(cls, samples: Sequence[Sample], modalities: Iterable[str], spatial: bool = True) -> Batch:
        """Collects samples; with ``spatial`` the targets' sizes become the sizes of the predictions."""
        inputs = {m: tuple(s.inputs.get(m) for s in samples) for m in modalities}
        present = {m: np.array([v is not None for v in values], dtype=np.bool_) for m, values in inputs.items()}
        sizes = tuple((int(s.target.shape[0]), int(s.target.shape[1])) for s in samples) if spatial else ()
        return cls(tuple(s.id for s in samples), inputs, present, sizes)


def _update(state: hashlib.blake2b, name: str, value: Any) -> None:
    state.update(f"{name}\0".encode())
    if isinstance(value, np.ndarray | np.generic) and not value.dtype.hasobject:
        state.update(f"{value.dtype.str}{value.shape}\0".encode())
        state.update(np.ascontiguousarray(value).data)
    elif value is None or isinstance(value, str | int | float | bool):
        state.update(f"{type(value).__name__}\0{value!r}\0".encode())
    else:
        parts = _parts(name, value)
        state.update(f"{type(value).__name__}{len(parts)}\0".encode())
        for key, part in parts.items():
            _update(state, f"{name}.{key}", part)


def _parts(name: str, value: Any) -> dict[str, Any]:
    """What a tuple, a mapping with text keys or a dataclass consists of; raises TypeError on anything else."""
    if isinstance(value, tuple):
        return {str(place): part for place, part in enumerate(value)}
    if isinstance(value, Mapping) and all(isinstance(key, str) for key in value):
        return dict(sorted(value.items()))
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: getattr(value, f.name) for f in fields(value)}
    # The repr of anything else may hold a memory address: a digest that changes with every run.
    raise TypeError(f"{name!r} is a {type(value).__name__}; a sample holds numpy arrays, text and numbers")
