"""What the training samples look like: for normalisation and class weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor

from mmbench.core.errors import LoadError, UsageError
from mmbench.core.source import Modality
from mmbench.models.config import InputConfig
from mmbench.models.data import VOID, Item, Items

# A sample of the training samples is enough: its error is far below what the weights depend on.
_LOOKED_AT = 256
_SMALLEST_STD = 1e-3


@dataclass(frozen=True, slots=True)
class Survey:
    """``inputs`` how each modality is normalised; ``pixels`` float64 [C] by class; ``size`` of the first item."""

    inputs: dict[str, InputConfig]
    pixels: Tensor
    size: tuple[int, int]


def survey(items: Items, ids: Sequence[str], classes: int) -> Survey:
    """Looks at up to 256 samples, evenly spaced.

    Raises SampleError, LoadError when no pixel has a label, UsageError when an input is no picture.
    """
    kinds = {m: _pictured(modality) for m, modality in items.modalities.items()}
    pixels = torch.zeros(classes, dtype=torch.float64)
    moments = {m: torch.zeros(3, modality.channels, dtype=torch.float64) for m, modality in items.modalities.items()}
    size = None
    for sample_id in ids[:: max(1, len(ids) // _LOOKED_AT)]:
        item = items.load(sample_id)
        size = size or (item.target.shape[0], item.target.shape[1])
        pixels += _counts(item.target, classes)
        _add_moments(moments, item)
    if size is None or not pixels.any():
        raise LoadError("The training split has no labelled pixel; check the suite's split and its label table.")
    inputs = {}
    for m, modality in items.modalities.items():
        if modality.kind == "text" or modality.kind == "audio":
            raise UsageError(
                f"There is no encoder for {modality.kind} yet, which {m!r} is; train on images and planes."
            )
        mean, std = _mean_and_std(moments[m], _SMALLEST_STD * modality.scale)
        inputs[m] = InputConfig(kind=kinds[m], channels=modality.channels, mean=mean, std=std)
    return Survey(inputs, pixels, size)


def _pictured(modality: Modality) -> Literal["image", "plane"]:
    if modality.kind == "text" or modality.kind == "audio":
        raise UsageError(f"There is no encoder for {modality.kind}, which {modality.name!r} is; leave it out.")
    return modality.kind


def class_weights(pixels: Tensor, power: float) -> Tensor:
    """float32 [C]: (share of the class) ** -power, scaled so that the mean over pixels is 1; 0 for a class never seen.

    power 0 weighs every pixel alike, 1 every class alike; between them the trade between frequent and rare classes.
    """
    share = pixels / pixels.sum()
    weights = torch.where(share > 0, share.clamp(min=1e-12) ** -power, 0)
    return (weights / (weights * share).sum()).float()


def _counts(target: Tensor, classes: int) -> Tensor:
    return torch.bincount(target[target != VOID], minlength=classes)[:classes].double()


def _add_moments(moments: Mapping[str, Tensor], item: Item) -> None:
    for m, x in item.inputs.items():
        if x is not None:
            flat = x.flatten(1).double()
            moments[m] += torch.stack([torch.full_like(flat[:, 0], flat.shape[1]), flat.sum(1), (flat**2).sum(1)])


def _mean_and_std(moments: Tensor, least: float) -> tuple[tuple[float, ...], tuple[float, ...]]:
    count, total, squares = moments
    count = count.clamp(min=1)
    mean = total / count
    variance = (squares / count - mean**2).clamp(min=0)
    return tuple(mean.tolist()), tuple(max(math.sqrt(v), least) for v in variance.tolist())
