"""Referring segmentation: one expression, one target mask, one predicted mask per sample.

A row is int64 [9]: 1, the pixels of the intersection and of the union, the IoU in units of 2**-40 (so that its sum
stays a sum of integers; off by less than 5e-13), and 1 where the IoU is at least 0.5, 0.6, 0.7, 0.8, 0.9, else 0.

Where target and prediction are both empty, the IoU is 0 and the sample is a miss, as in the evaluation code of the
field (Yang et al. 2022, LAVT, ``test.py``). An empty prediction, or a prediction for an empty target, has IoU 0
anyway; the latter adds its pixels to the union. Sets with expressions that refer to nothing (gRefCOCO) score those
otherwise; that is another metric and not this one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmbench.core.errors import SampleError
from mmbench.core.metric import Floats, Ints
from mmbench.metrics.ratios import ratio

THRESHOLDS = (0.5, 0.6, 0.7, 0.8, 0.9)
WIDTH = 4 + len(THRESHOLDS)
_UNIT = 1 << 40

Mask = NDArray[np.bool_] | NDArray[np.integer]


def referring_row(target: Mask, prediction: Mask, sample_id: str) -> Ints:
    """int64 [9] of two masks [H,W], bool or whole numbers of which every one but 0 belongs to the object.

    Raises SampleError on unequal sizes or masks of fractions.
    """
    for what, mask in (("target mask", target), ("prediction", prediction)):
        if mask.dtype.kind not in "biu":
            raise SampleError(f"The {what} of {sample_id!r} holds {mask.dtype} values, expected 0 and 1.")
    if target.shape != prediction.shape:
        raise SampleError(
            f"The prediction of {sample_id!r} has size {prediction.shape}, expected {target.shape}; "
            "predict at the size of the target mask."
        )
    truth, found = target.astype(np.bool_, copy=False), prediction.astype(np.bool_, copy=False)
    intersection = int(np.count_nonzero(truth & found))
    return row_of_areas(intersection, int(np.count_nonzero(truth | found)))


def row_of_areas(intersection: int, union: int) -> Ints:
    """int64 [9] of two areas in pixels, 0 <= intersection <= union."""
    iou = intersection / union if union else 0.0
    units = (2 * intersection * _UNIT + union) // (2 * union) if union else 0
    return np.array([1, intersection, union, units, *(iou >= t for t in THRESHOLDS)], dtype=np.int64)


def overall_iou(sums: Floats) -> Floats:
    """oIoU, float64 [...] of summed rows [...,9]: summed intersections by summed unions; NaN for unions of 0."""
    return ratio(sums[..., 1], sums[..., 2])


def mean_iou(sums: Floats) -> Floats:
    """mIoU, float64 [...] of summed rows [...,9]: the mean IoU of the samples; NaN without samples."""
    return ratio(sums[..., 3] / _UNIT, sums[..., 0])


def precision_at(sums: Floats, threshold: float) -> Floats:
    """P@threshold, float64 [...] of summed rows [...,9]: the share of samples whose IoU is at least ``threshold``.

    ``threshold`` is one of ``THRESHOLDS``; NaN without samples.
    """
    return ratio(sums[..., 4 + THRESHOLDS.index(threshold)], sums[..., 0])
