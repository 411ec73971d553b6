"""The statistic behind every segmentation metric: per class, the areas of a label map's overlap."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmbench.core.errors import SampleError
from mmbench.core.metric import Ints, TaskContext
from mmbench.core.prediction import LabelMap, check_labels
from mmbench.core.registry import statistic

Labels = NDArray[np.integer]

# Above this share of pixels at which a map changes, counting pixel by pixel is faster than counting runs.
_DENSE = 0.2


@statistic("confusion", version=1)
class Confusion:
    """Row int64 [3C]: intersection, predicted and target pixels of each class, over pixels that are not ignored.

    These are the diagonal and the margins of the confusion matrix; IoU, accuracy, precision, recall and F1 of every
    class follow from them.
    """

    def width(self, context: TaskContext) -> int:
        """3C."""
        return 3 * len(context.classes)

    def row(self, target: Labels, prediction: LabelMap, context: TaskContext) -> Ints:
        """Areas of one sample, any integer dtype; raises SampleError on unequal sizes or a label out of range.

        A prediction is checked at every pixel, also where the target is ignored.
        """
        classes = len(context.classes)
        _check_integers("prediction", prediction.sample_id, prediction.labels)
        _check_integers("label map", prediction.sample_id, target)
        check_labels(prediction, target.shape, classes)
        truth, rows, ignored = _compact(target, context.ignore, prediction.sample_id, classes)
        joint = _joint_histogram(truth.ravel(), prediction.labels.ravel(), (rows, classes))
        if ignored is not None:
            joint[ignored] = 0
        if joint[classes:].any():
            found = classes + int(np.flatnonzero(joint[classes:].any(axis=1))[0])
            raise _out_of_range(prediction.sample_id, found, classes)
        matrix = joint[:classes]
        return np.concatenate([matrix.diagonal(), matrix.sum(axis=0), matrix.sum(axis=1)])

    def support(self, rows: Ints, context: TaskContext) -> Ints:
        """int64 [C]: the number of samples of ``rows`` [n,3C] whose target holds the class."""
        target = rows[:, 2 * len(context.classes) :]
        holding: Ints = (target > 0).sum(axis=0, dtype=np.int64)
        return holding

    def absent(self, rows: Ints, context: TaskContext) -> int:
        """The number of classes that no target and no prediction of ``rows`` [n,3C] holds (union 0)."""
        _, predicted, target = rows.sum(axis=0).reshape(3, len(context.classes))
        return int(np.count_nonzero(predicted + target == 0))


def _compact(target: Labels, ignore: int | None, sample_id: str, classes: int) -> tuple[Labels, int, int | None]:
    """Non-negative labels, how many values they may take, and which of these is ignored.

    Bytes stay as they are, their range is checked on the histogram. Other maps come with the ignored label as C.
    """
    if target.dtype == np.uint8 and classes <= 256:
        return target, 256, ignore if ignore is not None and 0 <= ignore < 256 else None
    ignored = np.zeros(target.shape, dtype=np.bool_) if ignore is None else target == ignore
    wrong = ((target < 0) | (target >= classes)) & ~ignored
    if wrong.any():
        raise _out_of_range(sample_id, int(target[wrong][0]), classes)
    truth = target.astype(np.min_scalar_type(classes))
    truth[ignored] = classes
    return truth, classes + 1, classes


def _joint_histogram(first: Labels, second: Labels, shape: tuple[int, int]) -> Ints:
    """int64 ``shape``: how often each pair of labels occurs in two maps [n]; labels are below ``shape``.

    Label maps are blobs, so runs of equal pairs are counted, not pixels; noisy maps are counted pixel by pixel.
    """
    size = shape[0] * shape[1]
    if not first.size:
        return np.zeros(shape, dtype=np.int64)
    changes = first[1:] != first[:-1]
    changes |= second[1:] != second[:-1]
    if np.count_nonzero(changes) > _DENSE * first.size:
        return np.bincount(_keys(first, second, shape), minlength=size).astype(np.int64).reshape(shape)
    ends = np.append(np.flatnonzero(changes), first.size - 1)
    lengths = np.diff(ends, prepend=-1)
    # A weighted bincount sums in float64: exact below 2**53 pixels.
    counts = np.bincount(_keys(first[ends], second[ends], shape), weights=lengths, minlength=size)
    return counts.astype(np.int64).reshape(shape)


def _keys(first: Labels, second: Labels, shape: tuple[int, int]) -> NDArray[np.unsignedinteger]:
    dtype = np.min_scalar_type(shape[0] * shape[1] - 1)
    keys = first.astype(dtype)
    keys *= dtype.type(shape[1])
    keys += second.astype(dtype, copy=False)
    return keys


def _check_integers(what: str, sample_id: str, labels: NDArray[np.generic]) -> None:
    if labels.dtype.kind not in "biu":
        raise SampleError(f"The {what} of {sample_id!r} holds {labels.dtype} values, expected whole class numbers.")


def _out_of_range(sample_id: str, label: int, classes: int) -> SampleError:
    return SampleError(
        f"The label map of {sample_id!r} holds label {label}, expected 0..{classes - 1} or the ignored label."
    )
