"""Colours of classes in pictures, and of lines in figures."""

from __future__ import annotations

from colorsys import hsv_to_rgb

import numpy as np
from numpy.typing import NDArray

IGNORED = (255, 255, 255)


def class_colours(count: int) -> NDArray[np.uint8]:
    """uint8 [count,3]: the colour map of PASCAL VOC (development kit, ``VOClabelcolormap``); class 0 is black.

    The bits of the label go to red, green and blue in turn, from the highest bit down, so that neighbouring labels
    differ strongly.
    """
    label = np.arange(count)
    colours = np.zeros((count, 3), np.uint8)
    for place in range(8):
        for channel in range(3):
            colours[:, channel] |= (((label >> (3 * place + channel)) & 1) << (7 - place)).astype(np.uint8)
    return colours


def colour_labels(labels: NDArray[np.integer], count: int, ignore: int | None) -> NDArray[np.uint8]:
    """uint8 [H,W,3] of a label map [H,W]; what is ignored, or is no class, is white."""
    table = np.vstack([class_colours(count), np.array([IGNORED], np.uint8)])
    known = (labels >= 0) & (labels < count)
    if ignore is not None:
        known &= labels != ignore
    return table[np.where(known, labels, count)]


def error_map(target: NDArray[np.integer], labels: NDArray[np.integer], ignore: int | None) -> NDArray[np.uint8]:
    """uint8 [H,W,3]: right is dark grey, wrong is orange, what is ignored is white."""
    colours = np.array([(60, 60, 60), (230, 120, 0), IGNORED], np.uint8)
    scored = np.ones(target.shape, bool) if ignore is None else target != ignore
    return colours[np.where(scored, (target != labels).astype(np.int64), 2)]


def line_colours(count: int) -> list[tuple[float, float, float]]:
    """RGB in 0..1 of that many lines on white: hues by the golden angle, so that neighbours differ; none is pale."""
    return [hsv_to_rgb(n * 0.381966 % 1.0, 0.9, (0.75, 0.5)[n // 8 % 2]) for n in range(count)]
