"""From a source's samples to the tensors that a model is trained on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from mmbench.core.sample import Array
from mmbench.core.source import Modality, Source

VOID = -100  # label of pixels without a loss
_CACHE_BYTES = 1 << 30


class Item(NamedTuple):
    """One sample: ``inputs[m]`` float32 [C,H,W], None where absent; ``target`` int64 [H,W] with VOID."""

    inputs: Mapping[str, Tensor | None]
    target: Tensor


class TensorBatch(NamedTuple):
    """``inputs[m]`` float32 [B,C,H,W] (zeros where absent), ``present[m]`` bool [B], ``target`` int64 [B,H,W]."""

    inputs: dict[str, Tensor]
    present: dict[str, Tensor]
    target: Tensor

    def to(self, device: torch.device) -> TensorBatch:
        """The batch on a device."""
        inputs = {m: x.to(device) for m, x in self.inputs.items()}
        present = {m: x.to(device) for m, x in self.present.items()}
        return TensorBatch(inputs, present, self.target.to(device))


@dataclass
class Items:
    """The samples of one split as tensors, in the ranges of the model's contract.

    ``modalities`` are those wanted, ``size`` (height, width) what inputs and target are resized to. ``label`` gives
    another target than the sample's own (a signature), by sample id. Samples are kept in memory up to 1 GiB.
    """

    source: Source
    modalities: Mapping[str, Modality]
    size: tuple[int, int] | None = None
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
        inputs = {m: self._input(sample.inputs.get(m)) for m in self.modalities}
        label = sample.target if self.label is None else self.label(sample_id)
        target = torch.from_numpy(label.astype(np.int16))
        if self.source.ignore is not None and self.label is None:
            target[target == self.source.ignore] = VOID
        if self.size is not None and tuple(target.shape) != self.size:
            target = resize_labels(target, self.size)
        return Item(inputs, target)

    def _input(self, value: Array | None) -> Tensor | None:
        if value is None:
            return None
        tensor = torch.from_numpy(np.array(value))  # a copy: some arrays are read-only
        tensor = tensor[None] if tensor.ndim == 2 else tensor.permute(2, 0, 1).contiguous()
        if self.size is None or tuple(tensor.shape[1:]) == self.size:
            return tensor
        return resize(_scaled(tensor), self.size, antialias=tensor.dtype == torch.uint8)


def collate(items: Sequence[Item], modalities: Mapping[str, Modality]) -> TensorBatch:
    """Items of one size as a batch; an absent input becomes zeros that ``present`` marks."""
    height, width = items[0].target.shape
    inputs, present = {}, {}
    for m, modality in modalities.items():
        empty = torch.zeros(modality.channels, height, width)
        values = [item.inputs[m] for item in items]
        inputs[m] = torch.stack([empty if value is None else value for value in values])
        present[m] = torch.tensor([value is not None for value in values])
    return TensorBatch(inputs, present, torch.stack([item.target for item in items]))


def resize(x: Tensor, size: tuple[int, int], antialias: bool) -> Tensor:
    """float32 [C,H,W] -> [C,h,w], bilinear with half-pixel centres, as inputs are resized before a prediction."""
    return interpolate(x[None], size=size, mode="bilinear", align_corners=False, antialias=antialias)[0]


def resize_labels(target: Tensor, size: tuple[int, int]) -> Tensor:
    """Labels [H,W] -> [h,w], the nearest pixel."""
    return interpolate(target[None, None].float(), size=size, mode="nearest-exact")[0, 0].to(target.dtype)


def _as_float(item: Item) -> Item:
    return Item({m: None if x is None else _scaled(x) for m, x in item.inputs.items()}, item.target.long())


def _scaled(x: Tensor) -> Tensor:
    return x.float() / 255 if x.dtype == torch.uint8 else x.float()


def _size_of(item: Item) -> int:
    tensors = [item.target, *(x for x in item.inputs.values() if x is not None)]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)
