"""Looks into some files: how a modality is decoded, which labels there are."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmbench.core.errors import SampleError, UsageError
from mmbench.sources.paths import confine
from mmbench.sources.raster import read_raster

# So many files are looked into: enough to tell kinds apart, and for labels to find rare classes.
INPUTS_READ = 8
LABELS_READ = 500
_MOST_COLOURS = 256


def evenly(items: Sequence[str], count: int) -> list[str]:
    """At most ``count`` items, evenly spaced, the first and the last among them."""
    if len(items) <= count:
        return list(items)
    return [items[round(i * (len(items) - 1) / (count - 1))] for i in range(count)]


def look_at_input(root: Path, name: str, paths: Sequence[str], size: tuple[int, int]) -> tuple[dict[str, Any], str]:
    """The parameters that decode a modality, and a comment on what was assumed; raises UsageError.

    ``size`` is that of the first label map, to which ``paths[0]`` belongs.
    """
    pictures = [_read(root, path) for path in evenly(paths, INPUTS_READ)]
    kinds = {(p.ndim, p.shape[2] if p.ndim == 3 else 1) for p in pictures}
    if len({count >= 3 for _, count in kinds}) > 1:
        raise UsageError(f"The files of modality {name!r} have 1 channel and 3; expected the same in all.")
    colour = next(iter(kinds))[1] >= 3
    if colour and pictures[0].dtype != np.uint8:
        raise UsageError(
            f"{paths[0]!r} holds {pictures[0].dtype} in several channels; expected 8 bits, or one channel."
        )
    params: dict[str, Any] = {"decode": "image"} if colour else {"decode": "plane"}
    comment = ""
    if not colour:
        comment = _look_at_plane(params, name, pictures)
    if pictures[0].shape[:2] != size:
        params["resize"] = "bilinear" if colour else "nearest"
        comment = f"{comment} Its size is not that of the labels, so it is resized.".strip()
    return params, comment


def _look_at_plane(params: dict[str, Any], name: str, pictures: Sequence[NDArray[Any]]) -> str:
    comment, scale = "Raw values; set scale and unit.", 1.0
    if any(p.ndim == 3 and p.shape[2] > 1 for p in pictures):
        params["channels"] = [0]
    if pictures[0].dtype == np.uint16 and "depth" in name:
        params |= {"scale": 0.001, "unit": "m"}
        scale, comment = 0.001, "16-bit depth is taken for millimetres; check it."
    finite = [p[np.isfinite(p)] for p in pictures]
    if sum(f.size for f in finite) < sum(p.size for p in pictures):
        params["fill"] = 0.0
        comment += " Values that are not finite become 0."
    largest = max((float(np.abs(f).max()) * scale for f in finite if f.size), default=1.0)
    params["typical"] = 255.0 if pictures[0].dtype == np.uint8 else _two_digits(largest)
    return comment


def look_at_labels(root: Path, paths: Sequence[str]) -> tuple[dict[str, Any], list[str], tuple[int, int]]:
    """The parameters that decode the labels, the class names ``class_0``.., and the size of the first label map.

    Raises UsageError when the pictures cannot be label maps.
    """
    first = _read(root, paths[0])
    size = (int(first.shape[0]), int(first.shape[1]))
    if Path(paths[0]).suffix.lower() in (".jpg", ".jpeg"):
        raise UsageError(f"The labels are JPEG ({paths[0]!r}), which changes them; expected PNG with class indices.")
    chosen = evenly(paths, LABELS_READ)
    if first.ndim == 3 and first.shape[2] >= 3:
        params, classes = _colours(root, chosen)
    else:
        params, classes = _indices(root, chosen)
    return params, classes, size


def _indices(root: Path, paths: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    values = set[int]()
    for path in paths:
        found = np.unique(_read(root, path))
        if found.dtype.kind not in "ui" or int(found[0]) < 0 or int(found[-1]) > 65_535:
            raise UsageError(f"The label file {path!r} holds {found.dtype} values; expected class indices from 0.")
        values |= set(found.tolist())
    ignored = 255 if 255 in values and len(values) > 2 else None
    labels = sorted(values - {ignored})
    if len(labels) < 2:
        raise UsageError(f"The labels hold the single value {labels[0]}; expected at least two classes.")
    params: dict[str, Any] = {}
    if labels[-1] >= 2 * max(len(labels), 8):  # far from 0, 1, 2, ...: 0 and 255, or 0, 64, 128, 192
        params["map"] = {str(value): index for index, value in enumerate(labels)}
        names = [f"class_{value}" for value in labels]
    else:
        names = [f"class_{index}" for index in range(labels[-1] + 1)]
    if ignored is not None:
        params["ignore"] = ignored
    return params, names


def _colours(root: Path, paths: Sequence[str]) -> tuple[dict[str, Any], list[str]]:
    codes = set[int]()
    for path in paths:
        pixels = read_raster(confine(root, path, SampleError), path, as_rgb=True)
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise UsageError(f"The label file {path!r} is no RGB picture of 8 bits, as the first label file is.")
        codes |= set(np.unique(pixels.astype(np.int32) @ np.array([65_536, 256, 1], np.int32)).tolist())
        if len(codes) > _MOST_COLOURS:
            raise UsageError(
                f"The labels hold more than {_MOST_COLOURS} colours (up to {path!r}); expected one colour per class."
            )
    named = {f"class_{index}": [c >> 16, (c >> 8) & 255, c & 255] for index, c in enumerate(sorted(codes))}
    if len(named) < 2:
        raise UsageError("The labels hold a single colour; expected at least two classes.")
    return {"colours": named}, list(named)


def _read(root: Path, path: str) -> NDArray[Any]:
    try:
        return read_raster(confine(root, path, SampleError), path)
    except SampleError as error:
        raise UsageError(f"{str(error).rstrip('.')}; repair or remove it, then start again.") from error


def _two_digits(value: float) -> float:
    """The value rounded up to two significant digits; 1 for 0."""
    if value <= 0:
        return 1.0
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return float(f"{math.ceil(value / step - 1e-9) * step:.6g}")
