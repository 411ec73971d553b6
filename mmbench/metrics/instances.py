"""What the detection metrics need to know of objects: columns, one entry per object.

``mmbench.sources.coco`` reads them from files; any object with these attributes will do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mmbench.core.metric import Floats, Ints

# A run-length encoded mask as pycocotools has it: ``size`` [height, width] and compressed ``counts``.
Rle = Mapping[str, Any]


class Objects(Protocol):
    """Objects [m] of images and classes that are given by index."""

    @property
    def image(self) -> Ints:
        """int64 [m]: the index of the image in ``GroundTruth.image_ids``."""

    @property
    def category(self) -> Ints:
        """int64 [m]: the index of the class in ``GroundTruth.categories``."""

    @property
    def area(self) -> Floats:
        """float64 [m] in pixels, by which the object counts as small, medium or large."""

    @property
    def box(self) -> Floats | None:
        """float64 [m,4]: left, top, width, height in pixels."""

    @property
    def mask(self) -> Sequence[Rle] | None:
        """[m] masks of the size of their image."""

    @property
    def keypoints(self) -> Floats | None:
        """float64 [m,K,3]: x, y in pixels and the visibility, 0 where the keypoint is not labelled."""


class GroundTruth(Objects, Protocol):
    """The annotated objects, and the images and classes that are scored."""

    @property
    def image_ids(self) -> Sequence[int | str]:
        """The ids of all images, unique, with or without objects."""

    @property
    def categories(self) -> Sequence[str]:
        """The names of all classes."""

    @property
    def crowd(self) -> NDArray[np.bool_]:
        """bool [m]: a region of many objects. It is ignored, and any number of detections may match it."""

    @property
    def ignored(self) -> NDArray[np.bool_]:
        """bool [m]: neither to be found nor wrong to find; holds for crowds and for persons without keypoints."""

    @property
    def matchable(self) -> NDArray[np.bool_]:
        """bool [m]: False for an annotation whose id is 0, see ``mmbench.metrics.matching``."""


class Detections(Objects, Protocol):
    """The detected objects."""

    @property
    def score(self) -> Floats:
        """float64 [m], finite; only the order matters."""
