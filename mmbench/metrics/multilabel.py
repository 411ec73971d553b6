"""Classification with any number of labels a sample: rows of label counts.

The rows [n,3C] are those of ``mmbench.metrics.classification``, and so are the values of their sums: ``micro_f1``,
``macro_f1``, ``weighted_f1``, ``class_f1``, precision and recall alike. A label that is neither a target nor predicted
has no value there; scikit-learn's ``zero_division=0`` and torchmetrics count it as 0 in a multi-label macro mean.
``accuracy``, ``cohens_kappa`` and ``matthews_correlation`` are for one label a sample.

Mean average precision is ``mmbench.metrics.curves.average_precision`` of ``multilabel_rows``.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mmbench.core.metric import Ints
from mmbench.metrics.inputs import Bools, indicators, numbers
from mmbench.metrics.ratios import hit_rows


def predicted_sets(scores: ArrayLike, threshold: float = 0.5) -> Bools:
    """Bool [n,C]: the labels whose score is at least the threshold.

    Raises ValueError for another shape, SampleError for NaN.
    """
    # In the scores' own precision, where 0.7 of float32 is not below the threshold 0.7.
    table = numbers("scores", scores, (None, None))
    limit = np.asarray(threshold, dtype=table.dtype if table.dtype.kind == "f" else np.float64)
    reached: Bools = table >= limit
    return reached


def label_set_rows(predicted: ArrayLike, targets: ArrayLike) -> Ints:
    """Rows int64 [n,3C] of label sets bool [n,C]: hit, predicted and target labels.

    Raises ValueError for unequal shapes, SampleError for numbers but 0 and 1.
    """
    guess, truth = _sets(predicted, targets)
    return np.concatenate([guess & truth, guess, truth], axis=1).astype(np.int64)


def subset_rows(predicted: ArrayLike, targets: ArrayLike) -> Ints:
    """Rows int64 [n,2] for ``ratios.mean``, the subset accuracy: whether all labels are right, and 1.

    Errors as ``label_set_rows``.
    """
    guess, truth = _sets(predicted, targets)
    return hit_rows((guess == truth).all(axis=1))


def _sets(predicted: ArrayLike, targets: ArrayLike) -> tuple[Bools, Bools]:
    truth = indicators("targets", targets, (None, None))
    return indicators("predicted labels", predicted, truth.shape), truth
