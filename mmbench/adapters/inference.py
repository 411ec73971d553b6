"""Runs an inference protocol around a module of segmentation: windows, scales, mirrors."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping

import torch
from torch import Tensor
from torch.nn.functional import interpolate, pad

from mmbench.core.inference import Inference

Inputs = Mapping[str, Tensor | None]
# From inputs of one size to logits [B,C,h,w].
Forward = Callable[[Inputs], Tensor]


def infer(forward: Forward, inputs: Inputs, protocol: Inference, planes: frozenset[str] = frozenset()) -> Tensor:
    """Scores float32 [B,C,H,W] at the size of the inputs [B,c,H,W] (an absent one is None); see ``Inference``.

    ``planes`` names the inputs that are resized to the nearest pixel, since a mean of two depths is no depth.
    """
    height, width = _size(inputs)
    inputs = {m: _plane(x, protocol) if m in planes else x for m, x in inputs.items()}
    total: Tensor | None = None
    for scale in protocol.scales:
        found = _at_scale(forward, _scaled(inputs, scale, planes), protocol)
        found = _resized(found, (height, width))
        total = found if total is None else total + found
    if total is None:
        raise ValueError("a protocol without a scale")
    return total if protocol.combine == "exp" else total / len(protocol.scales)


def _plane(x: Tensor | None, protocol: Inference) -> Tensor | None:
    if x is None:
        return None
    return (x / protocol.plane_divisor).expand(-1, protocol.plane_channels, -1, -1)


def _at_scale(forward: Forward, inputs: Inputs, protocol: Inference) -> Tensor:
    """The scores of one scale: over mirrors and windows."""
    if protocol.combine == "exp":  # both mirrors of each window come first
        return _windows(lambda part: _mirrored(forward, part, protocol).sum(0).exp(), inputs, protocol, mean=False)
    views = [_windows(forward, inputs, protocol, mean=True)]
    if protocol.flip:
        views.append(_windows(forward, _flipped(inputs), protocol, mean=True).flip(-1))
    if protocol.combine == "softmax":
        views = [view.softmax(dim=1) for view in views]
    return torch.stack(views).mean(0)


def _mirrored(forward: Forward, inputs: Inputs, protocol: Inference) -> Tensor:
    """Logits [views,B,C,h,w] of the inputs and, where asked for, of their mirror image."""
    size = _size(inputs)
    views = [_resized(forward(inputs), size)]
    if protocol.flip:
        views.append(_resized(forward(_flipped(inputs)), size).flip(-1))
    return torch.stack(views)


def _windows(forward: Forward, inputs: Inputs, protocol: Inference, mean: bool) -> Tensor:
    """Scores [B,C,H,W] of all windows, added (or their mean) where they overlap."""
    size = _size(inputs)
    if protocol.crop is None or protocol.stride is None:
        return _resized(forward(inputs), size)
    padded, top, left = _padded(inputs, protocol.crop) if protocol.pad else (inputs, 0, 0)
    inner = _size(padded)
    crop = min(protocol.crop[0], inner[0]), min(protocol.crop[1], inner[1])
    total: Tensor | None = None
    count = torch.zeros(inner, device=next(x.device for x in inputs.values() if x is not None))
    for rows, columns in windows(inner, crop, protocol.stride):
        part = {m: None if x is None else x[..., rows, columns] for m, x in padded.items()}
        found = _resized(forward(part), crop)
        if total is None:
            total = found.new_zeros(*found.shape[:2], *inner)
        total[..., rows, columns] += found
        count[rows, columns] += 1
    if total is None:
        raise ValueError("a picture without a window")
    return (total / count if mean else total)[..., top : top + size[0], left : left + size[1]]


def windows(size: tuple[int, int], crop: tuple[int, int], stride: tuple[int, int]) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of each window; together they cover ``size``, which is at least ``crop``."""
    rows, columns = (list(_starts(*numbers)) for numbers in zip(size, crop, stride, strict=True))
    for top in rows:
        for left in columns:
            yield slice(top, top + crop[0]), slice(left, left + crop[1])


def _starts(size: int, crop: int, stride: int) -> Iterator[int]:
    for step in range(max(math.ceil((size - crop) / stride), 0) + 1):
        yield min(step * stride, size - crop)


def _padded(inputs: Inputs, crop: tuple[int, int]) -> tuple[Inputs, int, int]:
    """The inputs in the middle of zeros, as large as a window at least; and where they begin."""
    height, width = _size(inputs)
    tall, wide = max(crop[0] - height, 0), max(crop[1] - width, 0)
    top, left = tall // 2, wide // 2
    edges = (left, wide - left, top, tall - top)
    return {m: None if x is None else pad(x, edges) for m, x in inputs.items()}, top, left


def _scaled(inputs: Inputs, scale: float, planes: frozenset[str]) -> Inputs:
    if scale == 1.0:
        return inputs
    size = tuple(max(1, round(side * scale)) for side in _size(inputs))
    return {
        m: None
        if x is None
        else interpolate(x, size=size, mode="nearest-exact")
        if m in planes
        else _resized(x, (size[0], size[1]))
        for m, x in inputs.items()
    }


def _flipped(inputs: Inputs) -> Inputs:
    return {m: None if x is None else x.flip(-1) for m, x in inputs.items()}


def _size(inputs: Inputs) -> tuple[int, int]:
    height, width = next(x.shape[-2:] for x in inputs.values() if x is not None)
    return int(height), int(width)


def _resized(x: Tensor, size: tuple[int, int]) -> Tensor:
    if tuple(x.shape[-2:]) == size:
        return x.float()
    return interpolate(x.float(), size=size, mode="bilinear", align_corners=False)
