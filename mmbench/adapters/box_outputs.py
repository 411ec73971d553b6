"""From boxes, scores and labels of each item to detections."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mmbench.adapters.asked import Asked
from mmbench.adapters.outputs import describe
from mmbench.core.errors import LoadError, SampleError
from mmbench.core.prediction import Detections

_KEYS = ("boxes", "scores", "labels")
_FORM = "a list of {boxes: float [N,4] x1, y1, x2, y2 in pixels, scores: float [N], labels: integers [N]}, one dict"


def detections(raw: Any, asked: Asked) -> list[Detections | SampleError]:
    """A dict of tensors or arrays for each item, as torchvision's detectors return.

    Labels are indices into the suite's classes, from 0. Raises LoadError for another form or shape; a SampleError for
    NaN, a box without extent upside down, or a label that is none of the suite's.
    """
    if not isinstance(raw, list | tuple) or len(raw) != len(asked.ids):
        raise asked.unfit(raw, _FORM)
    return [_detections(found, i, asked) for i, found in zip(asked.ids, raw, strict=True)]


def _detections(found: Any, sample_id: str, asked: Asked) -> Detections | SampleError:
    if not isinstance(found, Mapping) or any(key not in found for key in _KEYS):
        raise LoadError(f"{asked.name} returned {describe(found)} for {sample_id!r}; expected {_FORM} an item.")
    boxes, scores, labels = (_array(found[key]) for key in _KEYS)
    boxes = boxes.reshape(0, 4) if boxes.size == 0 else boxes
    if scores.ndim != 1 or boxes.shape != (len(scores), 4) or labels.shape != scores.shape or labels.dtype.kind == "f":
        raise LoadError(
            f"{asked.name} returned boxes {list(boxes.shape)}, scores {list(scores.shape)} and {labels.dtype} labels "
            f"{list(labels.shape)} for {sample_id!r}; expected [N,4], [N] and integers [N]."
        )
    if not (np.isfinite(boxes).all() and np.isfinite(scores).all()):
        return SampleError(f"The model returned NaN or infinite boxes or scores for {sample_id!r}.")
    if (boxes[:, 2:] < boxes[:, :2]).any():
        return SampleError(f"A box of {sample_id!r} ends before it begins; expected x1, y1, x2, y2.")
    count = len(asked.request.classes)
    if count and labels.size and not (labels.min() >= 0 and labels.max() < count):
        return SampleError(
            f"The detections of {sample_id!r} have labels {labels.min()}..{labels.max()}, expected 0..{count - 1}."
        )
    return Detections.of_corners(sample_id, boxes, scores, labels)


def _array(value: Any) -> NDArray[Any]:
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        value = (value.double() if value.is_floating_point() else value).numpy()
    array: NDArray[Any] = np.asarray(value)
    return array
