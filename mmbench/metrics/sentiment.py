"""Accuracy of sentiment intensities from -3 to 3, as CMU-MOSI and CMU-MOSEI are scored.

Rows are those of ``mmbench.metrics.classification``; Acc-7 and Acc-2 are its ``accuracy`` and the F1 beside Acc-2 its
``weighted_f1``. The rules are those of the code of Tsai et al. 2019 (MulT) and of MMSA (Mao et al. 2022).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from mmbench.core.metric import Ints
from mmbench.metrics.classification import label_rows
from mmbench.metrics.regression import pair_rows


def seven_class_rows(predictions: ArrayLike, targets: ArrayLike) -> Ints:
    """Rows int64 [n,21] of Acc-7: both sides clipped to -3..3 and rounded to the nearest whole number, halves to even.

    Raises ValueError for another shape, SampleError for NaN or infinity.
    """
    labels = np.round(np.clip(pair_rows(predictions, targets), -3, 3)).astype(np.int64) + 3
    return label_rows(labels[:, 0], labels[:, 1], 7)


def polarity_rows(predictions: ArrayLike, targets: ArrayLike, *, neutral: bool) -> Ints:
    """Rows int64 [n,6] of Acc-2, classes negative and positive.

    With ``neutral`` all samples count and 0 is on the side of the positive ("Has0": negative or not). Without it
    targets of 0 have a row of zeros, and a prediction of 0 is negative ("Non0": negative or positive). Errors as
    ``seven_class_rows``.
    """
    pairs = pair_rows(predictions, targets)
    labels = pairs >= 0 if neutral else pairs > 0
    rows = label_rows(labels[:, 0], labels[:, 1], 2)
    return rows if neutral else rows * (pairs[:, 1:] != 0)
