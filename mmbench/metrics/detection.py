"""COCO detection, instance segmentation and keypoints: from objects to match lists.

    rows = match_boxes(truth, detections)
    average_precision(rows)                    # the 12 figures
    average_precision(rows, weights, ["ap_100"])   # [draws,1]

What is undefined, in one rule: a class without objects to be found in an area range has no figures there and is left
out of every mean, as in the official scorer, which prints -1 where no class is left; here that is NaN. A class with
objects and without detections has 0. In a bootstrap draw the same holds for the objects of the draw.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mmbench.core.errors import UsageError
from mmbench.core.metric import Floats
from mmbench.metrics.coco_settings import INSTANCES, KEYPOINTS, PERSON_SIGMAS
from mmbench.metrics.instances import Detections, GroundTruth, Rle
from mmbench.metrics.match_rows import MatchRows
from mmbench.metrics.matching import match
from mmbench.metrics.overlap import BoxIou, KeypointSimilarity, MaskIou


def match_boxes(truth: GroundTruth, detections: Detections) -> MatchRows:
    """Matches by IoU of boxes; raises UsageError when one side has no boxes."""
    overlap = BoxIou(_array("box", detections.box), _array("box", truth.box), truth.crowd)
    return match(truth, detections, INSTANCES, overlap)


def match_masks(truth: GroundTruth, detections: Detections) -> MatchRows:
    """Matches by IoU of masks; raises UsageError when one side has no masks.

    Both masks of a pair must have the size of their image (``mmbench.sources.coco`` sees to it).
    """
    overlap = MaskIou(_masks(detections.mask), _masks(truth.mask), truth.crowd)
    return match(truth, detections, INSTANCES, overlap)


def match_keypoints(truth: GroundTruth, detections: Detections, sigmas: Sequence[float] = PERSON_SIGMAS) -> MatchRows:
    """Matches by object keypoint similarity; ``sigmas`` [K] are those of COCO's persons.

    Raises UsageError when one side has no keypoints, or not K of them.
    """
    found, wanted = _array("keypoints", detections.keypoints), _array("keypoints", truth.keypoints)
    for points in (found, wanted):
        if len(points) and points.shape[1:] != (len(sigmas), 3):
            raise UsageError(f"Objects have {points.shape[1]} keypoints, expected {len(sigmas)}; give their sigmas.")
    boxes = _array("box", truth.box)
    overlap = KeypointSimilarity(found, wanted, boxes, truth.area, np.asarray(sigmas, dtype=np.float64))
    return match(truth, detections, KEYPOINTS, overlap)


def _array(name: str, column: Floats | None) -> Floats:
    if column is None:
        raise UsageError(f"The objects have no {name} column; read the files with the kind that needs it.")
    return column


def _masks(column: Sequence[Rle] | None) -> Sequence[Rle]:
    if column is None:
        raise UsageError("The objects have no mask column; read the files as 'segm'.")
    return column
