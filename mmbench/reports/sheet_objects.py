"""True objects drawn into their picture: boxes, masks and keypoints in the colours of their classes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from pycocotools import mask as coco_masks

from mmbench.core.targets import Boxes, Objects
from mmbench.reports.palette import class_colours

_LEAST = 480  # pixels: a smaller picture is enlarged, so that lines are thin
_CROWD = (150, 150, 150)
_PALE = (225, 225, 225)

Colour = tuple[int, int, int]
Box = tuple[float, float, float, float]


def object_colours(count: int) -> list[Colour]:
    """The colour of each class; black is left out, which in label maps is the background."""
    return [(int(r), int(g), int(b)) for r, g, b in class_colours(count + 1)[1:]]


def draw_objects(target: Boxes | Objects, picture: NDArray[np.uint8] | None, classes: int) -> Image.Image:
    """The objects of an image on uint8 [H,W,3], or on a pale ground where there is no picture; crowds are grey."""
    corners = list(_corners(target))
    ground = _blank(corners) if picture is None else picture
    colours = _colours(target, classes)
    ground = _with_masks(target, ground, colours)
    scale = max(1, -(-_LEAST // max(ground.shape[:2])))
    image = Image.fromarray(ground).resize((ground.shape[1] * scale, ground.shape[0] * scale), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(image)
    line = max(2, max(image.size) // 160)
    for (x1, y1, x2, y2), colour in zip(corners, colours, strict=False):
        draw.rectangle((x1 * scale, y1 * scale, x2 * scale - 1, y2 * scale - 1), outline=colour, width=line)
    for x, y, colour in _points(target, colours):
        draw.ellipse((x * scale - line, y * scale - line, x * scale + line, y * scale + line), fill=colour)
    return image


def _corners(target: Boxes | Objects) -> Iterator[Box]:
    if isinstance(target, Boxes):
        yield from (tuple(box) for box in target.boxes.tolist())
    elif target.boxes is not None:
        yield from ((x, y, x + width, y + height) for x, y, width, height in target.boxes.tolist())


def _colours(target: Boxes | Objects, classes: int) -> list[Colour]:
    known = object_colours(classes)
    crowd = target.crowd.tolist() if isinstance(target, Objects) else [False] * len(target.labels)
    return [_CROWD if many else known[label] for label, many in zip(target.labels.tolist(), crowd, strict=True)]


def _blank(corners: list[Box]) -> NDArray[np.uint8]:
    right, below = (max([64, *(int(np.ceil(box[side])) for box in corners)]) for side in (2, 3))
    return np.full((below, right, 3), _PALE, dtype=np.uint8)


def _with_masks(target: Boxes | Objects, ground: NDArray[np.uint8], colours: list[Colour]) -> NDArray[np.uint8]:
    """Half colour, half picture; masks of another size than the picture's (there is none) replace it."""
    if isinstance(target, Boxes) or target.masks is None or not target.masks:
        return ground
    size = tuple(target.masks[0]["size"])
    mixed = ground if ground.shape[:2] == size else np.full((*size, 3), _PALE, dtype=np.uint8)
    mixed = mixed.copy()
    for mask, colour in zip(target.masks, colours, strict=True):
        inside = coco_masks.decode(dict(mask)).astype(np.bool_)
        mixed[inside] = (mixed[inside].astype(np.uint16) + np.array(colour, dtype=np.uint16)) // 2
    return mixed


def _points(target: Boxes | Objects, colours: list[Colour]) -> Iterator[tuple[float, float, Colour]]:
    """The keypoints that are labelled."""
    if isinstance(target, Boxes) or target.keypoints is None:
        return
    for points, colour in zip(target.keypoints.tolist(), colours, strict=True):
        yield from ((x, y, colour) for x, y, visibility in points if visibility > 0)
