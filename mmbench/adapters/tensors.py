"""From a batch of numpy inputs to what a user's module receives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

import numpy as np
import torch

from mmbench.adapters.preprocess import Preprocess
from mmbench.core.sample import Array, Batch
from mmbench.core.source import Modality

Input = torch.Tensor | list[str]


def equal_groups(batch: Batch, preprocess: Mapping[str, Preprocess]) -> Iterator[list[int]]:
    """Positions in the batch that can share one forward pass: equal sizes (of pictures after resizing), same modalities
    present; texts may have any length.
    """
    groups: dict[tuple[tuple[int, ...] | None, ...], list[int]] = {}
    for index in range(len(batch)):
        key = tuple(_size(batch.inputs[m][index], table) for m, table in preprocess.items())
        groups.setdefault(key, []).append(index)
    yield from groups.values()


def to_input(values: Sequence[Any], modality: Modality, preprocess: Preprocess, device: torch.device) -> Input | None:
    """Values of one modality as the model's contract says: B texts as list[str], recordings and features float32
    [B,...], else as ``to_tensor``; None when the modality is absent (of all values of a group, or of none).
    """
    if modality.kind in ("image", "plane"):
        return to_tensor(values, modality, preprocess, device)
    present = [value for value in values if value is not None]
    if not present:
        return None
    if modality.kind == "text":
        return [str(value) for value in present]
    return torch.from_numpy(np.stack(present)).to(device, torch.float32)


def to_tensor(
    values: Sequence[Array | None], modality: Modality, preprocess: Preprocess, device: torch.device
) -> torch.Tensor | None:
    """Values of one modality -> float32 [B,C,H,W]: images in 0..1, planes [B,1,H,W] in the suite's unit.

    None when the modality is absent (of all values of a group, or of none).
    """
    present = [value for value in values if value is not None]
    if not present:
        return None
    runs = (np.stack(list(run)) for _, run in groupby(present, key=lambda value: value.shape))
    parts = [
        preprocess.apply(_scaled(torch.from_numpy(run).to(device), modality), antialias=modality.kind == "image")
        for run in runs
    ]
    return parts[0] if len(parts) == 1 else torch.cat(parts)


def _scaled(stacked: torch.Tensor, modality: Modality) -> torch.Tensor:
    if modality.kind == "image":  # uint8 [B,H,W,C]
        return stacked.permute(0, 3, 1, 2).to(torch.float32, memory_format=torch.contiguous_format).div_(255)
    return stacked.to(torch.float32)[:, None]


def _size(value: Any, preprocess: Preprocess) -> tuple[int, ...] | None:
    if value is None:
        return None
    if isinstance(value, str):
        return ()
    return (preprocess.size if value.ndim > 1 else None) or tuple(value.shape[:2])
