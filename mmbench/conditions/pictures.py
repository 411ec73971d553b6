"""Changes of images and planes (depth, thermal, near infrared), in whole numbers wherever rounding could differ."""

from __future__ import annotations

import numpy as np

from mmbench.conditions.stream import Stream
from mmbench.core.sample import Array
from mmbench.core.source import Modality

FOG = 230  # grey of fog, in 1/255
PATCH = 4  # side of a hole in pixels, on a canvas of 64; in proportion on others
_STEPS = 1 << 16  # of a plane's scale: noise is a whole number of them


def noise(value: Array, level: int, stream: Stream, modality: Modality) -> Array:
    """Normal noise: of an image with a deviation of ``level``/255, clipped; of a plane ``level``/1000 of its scale."""
    if modality.kind == "image":
        drawn = stream.noise(value.size, level).reshape(value.shape)
        return np.asarray(np.clip(value.astype(np.int64) + drawn, 0, 255), dtype=np.uint8)
    drawn = stream.noise(value.size, _STEPS * level // 1000).reshape(value.shape)
    return np.asarray(value + drawn * (modality.scale / _STEPS), dtype=np.float32)


def blur(value: Array, level: int, stream: Stream, modality: Modality) -> Array:  # noqa: ARG001
    """Mean over a square of 2 ``level`` + 1 pixels; edges are continued."""
    wide = value.astype(np.int64 if modality.kind == "image" else np.float64)
    for axis in (0, 1):
        wide = _sum_along(wide, level, axis)
    count = (2 * level + 1) ** 2
    if modality.kind == "image":
        return ((wide + count // 2) // count).astype(np.uint8)
    return (wide / count).astype(np.float32)


def fog(value: Array, level: int, stream: Stream, modality: Modality) -> Array:  # noqa: ARG001
    """A veil of light grey that covers ``level`` in 100."""
    return ((value.astype(np.int64) * (100 - level) + FOG * level + 50) // 100).astype(np.uint8)


def holes(value: Array, level: int, stream: Stream, modality: Modality) -> Array:  # noqa: ARG001
    """Square patches set to 0, which in a plane means no measurement: ``level`` in 100 of the patches."""
    height, width = value.shape[:2]
    side = max(1, PATCH * min(height, width) // 64)
    rows, columns = -(-height // side), -(-width // side)
    patches = stream.hits(rows * columns, level).reshape(rows, columns)
    mask = patches.repeat(side, axis=0).repeat(side, axis=1)[:height, :width]
    changed = value.copy()
    changed[mask] = 0
    return changed


def _sum_along(values: Array, radius: int, axis: int) -> Array:
    """Sum over 2 radius + 1 neighbours along an axis, in a fixed order."""
    margin = [(radius, radius) if place == axis else (0, 0) for place in range(values.ndim)]
    padded = np.pad(values, margin, mode="edge")
    length = values.shape[axis]
    total = np.zeros_like(values)
    for start in range(2 * radius + 1):
        total = total + np.take(padded, range(start, start + length), axis=axis)
    return total
