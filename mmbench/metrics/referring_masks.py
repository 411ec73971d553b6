"""Metrics of referring segmentation, as suites name them: one mask per expression, every label but 0 is the object."""

from __future__ import annotations

from typing import Any

from mmbench.core.errors import SampleError
from mmbench.core.metric import Classless, Floats, Ints, TaskContext
from mmbench.core.prediction import LabelMap, Prediction
from mmbench.core.registry import metric, statistic
from mmbench.metrics.referring import WIDTH, mean_iou, overall_iou, precision_at, referring_row


@statistic("referring", version=1)
class Referring(Classless):
    """Row int64 [9]: areas of intersection and union, the IoU, and which thresholds it reaches."""

    def width(self, context: TaskContext) -> int:  # noqa: ARG002
        """9."""
        return WIDTH

    def row(self, target: Any, prediction: Prediction, context: TaskContext) -> Ints:  # noqa: ARG002
        """Of one mask [H,W]; raises SampleError on unequal sizes."""
        if not isinstance(prediction, LabelMap):
            raise SampleError(f"The prediction of {prediction.sample_id!r} is {prediction.kind}, expected a mask.")
        return referring_row(target, prediction.labels, prediction.sample_id)


@metric("oiou", statistic="referring", version=1, task="referring-segmentation")
def oiou(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Overall IoU (cIoU): summed intersections by summed unions."""
    return overall_iou(sums)


@metric("mean_iou", statistic="referring", version=1, task="referring-segmentation")
def mean_iou_of_expressions(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Mean over expressions of the IoU (gIoU; mIoU in this field, which is not that of classes)."""
    return mean_iou(sums)


@metric("p50", statistic="referring", version=1, task="referring-segmentation")
def p50(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Share of expressions whose IoU is at least 0.5."""
    return precision_at(sums, 0.5)


@metric("p60", statistic="referring", version=1, task="referring-segmentation")
def p60(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Share of expressions whose IoU is at least 0.6."""
    return precision_at(sums, 0.6)


@metric("p70", statistic="referring", version=1, task="referring-segmentation")
def p70(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Share of expressions whose IoU is at least 0.7."""
    return precision_at(sums, 0.7)


@metric("p80", statistic="referring", version=1, task="referring-segmentation")
def p80(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Share of expressions whose IoU is at least 0.8."""
    return precision_at(sums, 0.8)


@metric("p90", statistic="referring", version=1, task="referring-segmentation")
def p90(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Share of expressions whose IoU is at least 0.9."""
    return precision_at(sums, 0.9)
