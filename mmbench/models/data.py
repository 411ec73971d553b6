"""From a source's samples to the tensors that a model is trained on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from mmbench.core.sample import Array
from mmbench.core.source import Modality, Source
from mmbench.models.tasks.task import Labels, Size, Task

_CACHE_BYTES = 1 << 30


class Item(NamedTuple):
    """One sample.

    ``inputs[m]`` float32 [C,H,W], a text, or float32 [T], None where absent; ``target`` as the task makes it (label
    maps int64 [H,W] with VOID, classes int64 []); ``truth`` what the suite's metric reads.
    """

    inputs: Mapping[str, Tensor | str | None]
    target: Tensor
    truth: Any = None


class TensorBatch(NamedTuple):
    """``inputs[m]`` float32 [B,C,H,W] (zeros where absent), B texts ("" where absent) or float32 [B,T], NaN behind the
    end of a recording; ``present[m]`` bool [B]; ``target`` as the task collates it.
    """

    inputs: dict[str, Tensor | list[str]]
    present: dict[str, Tensor]
    target: Tensor

    def to(self, device: torch.device) -> TensorBatch:
        """The batch on a device; texts stay."""
        inputs = {m: x.to(device) if isinstance(x, Tensor) else x for m, x in self.inputs.items()}
        present = {m: x.to(device) for m, x in self.present.items()}
        return TensorBatch(inputs, present, self.target.to(device))


@dataclass
class Items:
    """The samples of one split as tensors, in the ranges of the model's contract.

    ``modalities`` are those wanted, ``size`` (height, width) what pictures are resized to, ``labels`` how ``task``
    reads a target. ``label`` gives another target than the sample's own (a signature), by sample id. Samples are kept
    in memory up to 1 GiB.
    """

    source: Source
    modalities: Mapping[str, Modality]
    task: Task
    labels: Labels
    size: Size | None = None
    label: Callable[[str], Array] | None = None
    _kept: dict[str, Item] = field(default_factory=dict, repr=False)
    _bytes: int = field(default=0, repr=False)

    def load(self, sample_id: str) -> Item:
        """One item; raises SampleError when the sample is broken."""
        item = self._kept.get(sample_id)
        if item is None:
            item = self._read(sample_id)
            self._bytes += _size_of(item)
            if self._bytes <= _CACHE_BYTES:
                self._kept[sample_id] = item
        return _as_float(item)

    def _read(self, sample_id: str) -> Item:
        sample = self.source.load(sample_id)
        inputs = {m: self._input(sample.inputs.get(m), modality) for m, modality in self.modalities.items()}
        value = sample.target if self.label is None else self.label(sample_id)
        target = self.task.target(value, self.labels)
        return Item(inputs, target, self.task.truth(target, value))

    def _input(self, value: Any, modality: Modality) -> Tensor | str | None:
        if value is None or modality.kind == "text":
            return value  # type: ignore[no-any-return]
        tensor = torch.from_numpy(np.array(value))  # a copy: some arrays are read-only
        if modality.kind == "audio":
            return tensor.float()
        tensor = tensor[None] if tensor.ndim == 2 else tensor.permute(2, 0, 1).contiguous()
        if self.size is None or tuple(tensor.shape[1:]) == self.size:
            return tensor
        return resize(_scaled(tensor), self.size, antialias=tensor.dtype == torch.uint8)


def collate(items: Sequence[Item], modalities: Mapping[str, Modality], task: Task) -> TensorBatch:
    """Items with pictures of one size as a batch; an absent input becomes an empty one that ``present`` marks."""
    inputs: dict[str, Tensor | list[str]] = {}
    present = {}
    for m, modality in modalities.items():
        values = [item.inputs[m] for item in items]
        present[m] = torch.tensor([value is not None for value in values])
        if modality.kind == "text":
            inputs[m] = [value if isinstance(value, str) else "" for value in values]
        elif modality.kind == "audio":
            inputs[m] = _padded([value for value in values if isinstance(value, Tensor)], values)
        else:
            inputs[m] = _stacked(values, modality.channels, picture_size(items))
    return TensorBatch(inputs, present, task.collate([item.target for item in items]))


def picture_size(items: Sequence[Item]) -> Size:
    """Height and width of the first picture there is; (1, 1) without any."""
    pictures = (x for item in items for x in item.inputs.values() if isinstance(x, Tensor) and x.ndim == 3)
    return next(((int(x.shape[1]), int(x.shape[2])) for x in pictures), (1, 1))


def _stacked(values: Sequence[Any], channels: int, size: Size) -> Tensor:
    empty = torch.zeros(channels, *size)
    return torch.stack([empty if value is None else value for value in values])


def _padded(found: Sequence[Tensor], values: Sequence[Any]) -> Tensor:
    """float32 [B,T] of the longest recording; NaN behind the end of the shorter ones."""
    longest = max((len(wave) for wave in found), default=1)
    rows = torch.full((len(values), longest), math.nan)
    for row, value in zip(rows, values, strict=True):
        if value is not None:
            row[: len(value)] = value
    return rows


def resize(x: Tensor, size: tuple[int, int], antialias: bool) -> Tensor:
    """float32 [C,H,W] -> [C,h,w], bilinear with half-pixel centres, as inputs are resized before a prediction."""
    return interpolate(x[None], size=size, mode="bilinear", align_corners=False, antialias=antialias)[0]


def _as_float(item: Item) -> Item:
    inputs = {m: _scaled(x) if isinstance(x, Tensor) else x for m, x in item.inputs.items()}
    return Item(inputs, item.target.long() if not item.target.is_floating_point() else item.target, item.truth)


def _scaled(x: Tensor) -> Tensor:
    return x.float() / 255 if x.dtype == torch.uint8 else x.float()


def _size_of(item: Item) -> int:
    tensors = [item.target, *(x for x in item.inputs.values() if isinstance(x, Tensor))]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
