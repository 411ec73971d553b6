"""How much a detection and an object overlap: IoU of boxes and of masks, and the similarity of keypoints."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as masks

from mmbench.core.metric import Floats, Ints
from mmbench.metrics.instances import Rle

_EPSILON = np.spacing(1)


@dataclass(frozen=True, slots=True)
class Pairs:
    """All pairs of each group's detections and objects; the object runs fastest, group after group.

    ``detection`` and ``truth``: int64 [p]. ``shapes``: int64 [G,2], the detections and objects of each group.
    """

    detection: Ints
    truth: Ints
    shapes: Ints


class Overlap(Protocol):
    """Measures pairs."""

    def __call__(self, pairs: Pairs) -> Floats:
        """float64 [p] in 0..1."""


@dataclass(frozen=True, slots=True, eq=False)
class BoxIou:
    """Intersection over union of boxes float64 [.,4] (left, top, width, height).

    For a crowd the share of the detection that lies in it. Boxes that do not overlap, or have no area, have 0.
    Source: ``bbIou`` of cocodataset/cocoapi.
    """

    detections: Floats
    truths: Floats
    crowd: NDArray[np.bool_]

    def __call__(self, pairs: Pairs) -> Floats:
        """float64 [p] in 0..1."""
        found, truth = self.detections[pairs.detection], self.truths[pairs.truth]
        ends = np.minimum(found[:, :2] + found[:, 2:], truth[:, :2] + truth[:, 2:])
        sides = ends - np.maximum(found[:, :2], truth[:, :2])
        overlapping = (sides > 0).all(axis=1)
        intersection = np.where(overlapping, sides[:, 0] * sides[:, 1], 0.0)
        area = found[:, 2] * found[:, 3]
        union = np.where(self.crowd[pairs.truth], area, area + truth[:, 2] * truth[:, 3] - intersection)
        return np.divide(intersection, union, out=np.zeros_like(union), where=overlapping)


@dataclass(frozen=True, slots=True, eq=False)
class MaskIou:
    """Intersection over union of run-length encoded masks, by pycocotools; for a crowd as with boxes."""

    detections: Sequence[Rle]
    truths: Sequence[Rle]
    crowd: NDArray[np.bool_]

    def __call__(self, pairs: Pairs) -> Floats:
        """float64 [p] in 0..1."""
        overlaps = np.empty(pairs.detection.size)
        start = 0
        for rows, columns in pairs.shapes.tolist():
            end = start + rows * columns
            truth = pairs.truth[start : start + columns]
            found = [self.detections[i] for i in pairs.detection[start:end:columns].tolist()]
            crowd = self.crowd[truth].astype(np.uint8).tolist()
            overlaps[start:end] = masks.iou(found, [self.truths[i] for i in truth.tolist()], crowd).ravel()
            start = end
        return overlaps


@dataclass(frozen=True, slots=True, eq=False)
class KeypointSimilarity:
    """Object keypoint similarity (OKS) of keypoints float64 [.,K,3].

    Mean over the labelled keypoints of exp(-d^2 / (2 s^2 k^2)): d the distance, s^2 the object's ``areas``, k twice the
    keypoint's sigma. For an object without labelled keypoints: over all of them, with d the distance from its box grown
    to three times its size. Source: ``computeOks`` of cocodataset/cocoapi.
    """

    detections: Floats
    truths: Floats
    boxes: Floats
    areas: Floats
    sigmas: Floats

    def __call__(self, pairs: Pairs) -> Floats:
        """float64 [p] in 0..1."""
        found, truth = self.detections[pairs.detection], self.truths[pairs.truth]
        labelled = truth[:, :, 2] > 0
        none = ~labelled.any(axis=1)
        offsets = found[:, :, :2] - truth[:, :, :2]
        offsets[none] = self._outside(found[none, :, :2], self.boxes[pairs.truth[none]])
        labelled[none] = True
        scale = (self.areas[pairs.truth] + _EPSILON)[:, None]
        exponent = (offsets**2).sum(axis=2) / (self.sigmas * 2) ** 2 / scale / 2
        similarity: Floats = np.where(labelled, np.exp(-exponent), 0.0).sum(axis=1) / labelled.sum(axis=1)
        return similarity

    @staticmethod
    def _outside(points: Floats, boxes: Floats) -> Floats:
        """[p,K,2]: how far points [p,K,2] lie outside their grown boxes, along x and y."""
        corner, size = boxes[:, None, :2], boxes[:, None, 2:]
        return np.maximum(0, corner - size - points) + np.maximum(0, points - (corner + size * 2))
