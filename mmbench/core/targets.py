"""Targets that are neither an array nor a number nor text.

The target of a sample, by task: segmentation and referring segmentation a label map or mask uint8 [H,W]; classification
an int, the index into the suite's classes; question answering the answer as str; captioning the references as a tuple
of str; detection ``Boxes``; several tasks on one sample ``JointTarget``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """True objects of an image: ``boxes`` float32 [N,4] as x1, y1, x2, y2 in pixels, ``labels`` int64 [N].

    x1 and y1 are the left and upper edge of the first pixel, x2 and y2 the right and lower edge of the last, so that
    x2 - x1 is the width. A label is an index into the suite's classes. Raises ValueError when the shapes do not agree.
    """

    boxes: NDArray[np.float32]
    labels: NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.labels.ndim != 1 or self.boxes.shape != (len(self.labels), 4):
            raise ValueError(f"expected boxes [N, 4] and labels [N], got {self.boxes.shape} and {self.labels.shape}")


@dataclass(frozen=True, slots=True, eq=False)
class JointTarget:
    """The targets of several tasks on one sample, by task: ``{"classification": 2, "vqa": "red"}``."""

    parts: Mapping[str, Any]
