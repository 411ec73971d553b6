"""COCO annotations and results as columns, one entry per object; the shape that the detection metrics read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Kind = Literal["bbox", "segm", "keypoints"]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
# A run-length encoded mask as pycocotools has it: ``size`` [height, width] and compressed ``counts``, bytes.
Rle = Mapping[str, Any]


@dataclass(frozen=True, slots=True, eq=False)
class GroundTruth:
    """The annotated objects [m], in the order of the file.

    ``image_ids`` and ``category_ids`` are ascending; ``image`` and ``category`` int64 [m] index them; ``sizes`` int64
    [n,2] are heights and widths, -1 where the file has none. ``crowd``, ``ignored`` and ``matchable`` bool [m]:
    an object that is ignored is a crowd or, for keypoints, has none labelled; the one with id 0 is not matchable (the
    official scorer takes its match for none). ``area`` float64 [m] in pixels is as annotated. What the kind does not
    need is None: ``box`` float64 [m,4] (left, top, width, height), ``mask`` [m], ``keypoints`` float64 [m,K,3].
    """

    image_ids: tuple[int | str, ...]
    sizes: Ints
    category_ids: tuple[int | str, ...]
    categories: tuple[str, ...]
    image: Ints
    category: Ints
    area: Floats
    crowd: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    matchable: NDArray[np.bool_]
    box: Floats | None = None
    mask: tuple[Rle, ...] | None = None
    keypoints: Floats | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """The detected objects [m], in the order of the file; columns as in ``GroundTruth``, and ``score`` float64 [m].

    ``area`` is that of the official scorer: of the box where results have boxes, else of the mask, else of the
    smallest box around all keypoints.
    """

    image: Ints
    category: Ints
    score: Floats
    area: Floats
    box: Floats | None = None
    mask: tuple[Rle, ...] | None = None
    keypoints: Floats | None = None
