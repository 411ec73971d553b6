"""Decoders of referring segmentation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmbench.sources.scenes import words
from mmbench.sources.scenes.blind_masks import best_mask
from mmbench.sources.scenes.oracles import read, see

Mask = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class ReferOracle:
    """Both modalities: the object that is meant. The picture alone: its first object, or all of them (``union``).

    The text alone: the mask of that shape which is best when its place is not known.
    """

    observed: tuple[str, ...]
    canvas: int = 64
    union: bool = False

    def predict(self, sample_id: str, inputs: Mapping[str, Any]) -> Mask:  # noqa: ARG002
        """uint8 [H, W], 1 on what is meant."""
        if "image" not in self.observed:
            shape = read.one_of(inputs["text"], words.SHAPES)
            return best_mask(() if shape is None else (shape,), self.canvas)
        picture = see.look(inputs["image"])
        return _painted(picture, self._chosen(picture, inputs))

    def _chosen(self, picture: see.Picture, inputs: Mapping[str, Any]) -> tuple[see.Seen, ...]:
        if "text" not in self.observed:
            return picture.objects if self.union else picture.objects[:1]
        colour, shape = (read.one_of(inputs["text"], group) for group in (words.COLOURS, words.SHAPES))
        return tuple(found for found in picture.objects if (found.colour, found.shape) == (colour, shape))


def _painted(picture: see.Picture, objects: tuple[see.Seen, ...]) -> Mask:
    mask = np.zeros((picture.canvas, picture.canvas), dtype=np.uint8)
    for found in objects:
        mask[found.window][found.mask] = 1
    return mask
