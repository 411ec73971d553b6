"""Segmentation metrics: values of summed areas.

All take sums float64 [..., 3C]: intersection I_c, predicted P_c and target T_c pixels of each class, summed over the
samples (the dataset-level confusion matrix, as in Everingham et al. 2010, mmsegmentation and torchmetrics). Any leading
axes; they give float64 [...], or [..., C] where a metric is per class.

What is undefined, in one rule. A class that occurs neither in the targets nor in the predictions (union 0) has no value
and is left out of every mean. A class that occurs in one of them is in the mean: predicted only, its IoU and F1 are 0;
where precision (never predicted) or recall (in no target) would be 0/0 it counts as 0, so that never predicting a hard
class does not pay. That is the rule of torchmetrics and of scikit-learn's ``zero_division=0``. ``mean_accuracy`` alone
averages over the classes of the targets, as its authors do. With no class left the value is NaN.

In a bootstrap draw the same rule holds: a class that occurs in the sample but not in the draw is left out of the mean
of that draw; a class that does not occur in the sample is in no draw.
"""

from __future__ import annotations

import numpy as np

from mmbench.core.metric import Floats, TaskContext
from mmbench.core.registry import metric
from mmbench.metrics.ratios import mean_of_defined, ratio, ratio_where


@metric("miou", statistic="confusion", version=1, task="segmentation")
def miou(sums: Floats, context: TaskContext) -> Floats:
    """Mean over classes of IoU_c = I_c / (P_c + T_c - I_c), background included."""
    return mean_of_defined(iou(sums, context))


@metric("miou_nobg", statistic="confusion", version=1, task="segmentation")
def miou_nobg(sums: Floats, context: TaskContext) -> Floats:
    """Mean of IoU_c over the classes but class 0, which is taken to be the background."""
    return mean_of_defined(iou(sums, context)[..., 1:])


@metric("iou", statistic="confusion", version=1, task="segmentation", per_class=True)
def iou(sums: Floats, context: TaskContext) -> Floats:
    """IoU_c = I_c / (P_c + T_c - I_c) of each class."""
    intersection, predicted, target = _areas(sums, context)
    return ratio(intersection, predicted + target - intersection)


@metric("pixel_accuracy", statistic="confusion", version=1, task="segmentation")
def pixel_accuracy(sums: Floats, context: TaskContext) -> Floats:
    """Share of the scored pixels that are right, sum_c I_c / sum_c T_c."""
    intersection, _, target = _areas(sums, context)
    return ratio(intersection.sum(axis=-1), target.sum(axis=-1))


@metric("mean_accuracy", statistic="confusion", version=1, task="segmentation")
def mean_accuracy(sums: Floats, context: TaskContext) -> Floats:
    """Mean of I_c / T_c over the classes that occur in the targets (Long et al. 2015)."""
    intersection, _, target = _areas(sums, context)
    return mean_of_defined(ratio(intersection, target))


@metric("fw_iou", statistic="confusion", version=1, task="segmentation")
def fw_iou(sums: Floats, context: TaskContext) -> Floats:
    """Frequency-weighted IoU, sum_c T_c IoU_c / sum_c T_c (Long et al. 2015)."""
    _, _, target = _areas(sums, context)
    return ratio(np.nansum(target * iou(sums, context), axis=-1), target.sum(axis=-1))


@metric("macro_f1", statistic="confusion", version=1, task="segmentation")
def macro_f1(sums: Floats, context: TaskContext) -> Floats:
    """Mean over classes of F1_c = 2 I_c / (P_c + T_c), the Dice coefficient."""
    intersection, predicted, target = _areas(sums, context)
    return mean_of_defined(ratio(2 * intersection, predicted + target))


@metric("macro_precision", statistic="confusion", version=1, task="segmentation")
def macro_precision(sums: Floats, context: TaskContext) -> Floats:
    """Mean over classes of I_c / P_c; 0 for a class of the targets that was never predicted."""
    intersection, predicted, target = _areas(sums, context)
    return mean_of_defined(ratio_where(intersection, predicted, predicted + target > 0))


@metric("macro_recall", statistic="confusion", version=1, task="segmentation")
def macro_recall(sums: Floats, context: TaskContext) -> Floats:
    """Mean over classes of I_c / T_c; 0 for a class that was predicted and is in no target."""
    intersection, predicted, target = _areas(sums, context)
    return mean_of_defined(ratio_where(intersection, target, predicted + target > 0))


def _areas(sums: Floats, context: TaskContext) -> tuple[Floats, Floats, Floats]:
    classes = len(context.classes)
    return sums[..., :classes], sums[..., classes : 2 * classes], sums[..., 2 * classes :]
