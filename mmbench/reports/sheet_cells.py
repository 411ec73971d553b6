"""What a contact sheet shows of a sample: pictures side by side, and lines of text under them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from mmbench.core.parts import of_part
from mmbench.core.prediction import LabelMap
from mmbench.core.sample import Array, Sample
from mmbench.core.source import Modality
from mmbench.core.targets import Boxes, JointTarget, Objects
from mmbench.reports.palette import colour_labels, error_map
from mmbench.reports.sheet_objects import draw_objects
from mmbench.reports.spectrogram import loudest, spectrogram


@dataclass(frozen=True, slots=True)
class Cell:
    """A picture with a line above it; None where the input is absent."""

    title: str
    picture: Image.Image | None


@dataclass(frozen=True, slots=True)
class Shown:
    """How samples are to be read: the suite's modalities, its class names and the ignored label."""

    modalities: Mapping[str, Modality]
    classes: Sequence[str]
    ignore: int | None


def cells(sample: Sample, shown: Shown, prediction: LabelMap | None) -> Iterator[Cell]:
    """Each input that can be seen, the target where it has a place in the picture, a prediction with its errors."""
    for name, modality in shown.modalities.items():
        if modality.kind != "text":
            yield _input(name, modality, sample.inputs.get(name))
    target, count = sample.target, len(shown.classes)
    if isinstance(target, Boxes | Objects):
        yield Cell("objects", draw_objects(target, _picture(sample, shown), count))
    elif is_map(target):
        yield Cell("labels", Image.fromarray(colour_labels(target, count, shown.ignore)))
        if prediction is not None:
            yield Cell("prediction", Image.fromarray(colour_labels(prediction.labels, count, None)))
            yield Cell("errors (orange)", Image.fromarray(error_map(target, prediction.labels, shown.ignore)))


def lines(sample: Sample, shown: Shown) -> Iterator[str]:
    """Texts of the sample, then a target that has no place in a picture."""
    for name, modality in shown.modalities.items():
        if modality.kind == "text":
            value = sample.inputs.get(name)
            yield f"{name}: {value}" if value is not None else f"{name}: absent"
    if isinstance(sample.target, JointTarget):
        parts = sample.target.parts
        yield from (f"{task}: {_said(part, of_part(shown.classes, task))}" for task, part in parts.items())
    elif not is_map(sample.target) and not isinstance(sample.target, Boxes | Objects):
        yield f"target: {_said(sample.target, shown.classes)}"


def is_map(target: Any) -> bool:
    """Whether a target is a label map or a mask."""
    return isinstance(target, np.ndarray) and target.ndim == 2


def _said(target: Any, classes: Sequence[str]) -> str:
    if isinstance(target, tuple):
        return " | ".join(map(str, target))
    if isinstance(target, int | np.integer) and 0 <= target < len(classes):
        return classes[int(target)]
    return str(target)


def _input(name: str, modality: Modality, value: Array | None) -> Cell:
    if value is None:
        return Cell(f"{name}: absent", None)
    if modality.kind == "image":
        pixels = value[..., :3] if value.shape[2] >= 3 else value[..., 0]
        return Cell(name, Image.fromarray(np.ascontiguousarray(pixels)))
    if modality.kind == "audio":
        told = f"to {modality.rate / 2000:g} kHz, loudest at {loudest(value, modality.rate):.0f} Hz"
        title = f"{name} {len(value) / modality.rate:.3g} s, {told}"
        return Cell(title, Image.fromarray(spectrogram(value, modality.rate)))
    low, high = float(np.nanmin(value)), float(np.nanmax(value))
    span = high - low if high > low else 1.0
    grey = np.nan_to_num((value.astype(np.float64) - low) / span * 255.0).round().astype(np.uint8)
    return Cell(f"{name} {low:.4g} to {high:.4g} {modality.unit}".rstrip(), Image.fromarray(grey))


def _picture(sample: Sample, shown: Shown) -> Array | None:
    """uint8 [H,W,3]: the first input that is a colour picture."""
    for name, modality in shown.modalities.items():
        value = sample.inputs.get(name)
        if modality.kind == "image" and value is not None and value.shape[2] >= 3:
            return np.ascontiguousarray(value[..., :3])
    return None
