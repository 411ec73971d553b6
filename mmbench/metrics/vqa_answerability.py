"""Answerability of VizWiz: how well a confidence tells the questions that cannot be answered from those that can.

Positive is *unanswerable*, and its score is ``1 - confidence``, as in the challenge's ``vqaEval.py`` (Gurari et al.
2018, arXiv:1802.08218); F1 counts as unanswerable what scores above 0.5.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from mmbench.core.errors import SampleError
from mmbench.core.metric import Floats, Ints

_THRESHOLD = 0.5


def answerability_rows(answerable: Sequence[int], confidences: Sequence[float]) -> Ints:
    """int64 [n,3]: 1 or 0 for found unanswerable and rightly so, found unanswerable, unanswerable.

    ``answerable`` is 1 or 0 (the label), ``confidences`` how sure the model is that the question can be answered.
    Raises SampleError on another label or a confidence that is not finite, ValueError on unequal lengths.
    """
    actual, scores = _unanswerable(answerable, confidences)
    found = scores > _THRESHOLD
    return np.stack([actual & found, found, actual], axis=1).astype(np.int64)


def answerability_f1(sums: Floats) -> Floats:
    """float64 [...] in 0..1 of summed rows [...,3]; NaN where nothing is unanswerable and nothing was found so."""
    hits, found, actual = np.moveaxis(np.asarray(sums, dtype=np.float64), -1, 0)
    with np.errstate(invalid="ignore"):
        f1: Floats = 2 * hits / (found + actual)
    return f1


def answerability_average_precision(
    answerable: Sequence[int], confidences: Sequence[float], counts: Floats | Ints | None = None
) -> Floats:
    """float64 [...] in 0..1: the sum over thresholds of precision times the gain in recall; equal scores are one.

    ``counts`` [...,n] is how often each question counts (the draws of a bootstrap), by default once. NaN where no
    question is unanswerable. Not additive over questions, so there are no rows. Raises as ``answerability_rows``.
    """
    actual, scores = _unanswerable(answerable, confidences)
    order = np.argsort(-scores, kind="stable")
    weights = (np.ones(len(scores)) if counts is None else np.asarray(counts, dtype=np.float64))[..., order]
    last_of_equals = np.flatnonzero(np.diff(scores[order], append=np.nan) != 0)
    hits = np.cumsum(weights * actual[order], axis=-1)[..., last_of_equals]
    found = np.cumsum(weights, axis=-1)[..., last_of_equals]
    precision = np.divide(hits, found, out=np.zeros_like(hits), where=found > 0)
    with np.errstate(invalid="ignore"):
        average: Floats = (np.diff(hits, axis=-1, prepend=0) * precision).sum(axis=-1) / hits[..., -1:].sum(axis=-1)
    return average


def _unanswerable(answerable: Sequence[int], confidences: Sequence[float]) -> tuple[NDArray[np.bool_], Floats]:
    labels = np.asarray(answerable)
    sure = np.asarray(confidences, dtype=np.float64)
    if labels.shape != sure.shape or labels.ndim != 1:
        raise ValueError(f"labels {labels.shape} and confidences {sure.shape} must be two lists of one length")
    wrong = np.flatnonzero((labels != 0) & (labels != 1))
    if wrong.size:
        found = labels[wrong[0]]
        raise SampleError(f"Question {int(wrong[0])} (from 0) has the label {found}, expected 1 (answerable) or 0.")
    broken = np.flatnonzero(~np.isfinite(sure))
    if broken.size:
        raise SampleError(f"Question {int(broken[0])} (from 0) has the confidence {sure[broken[0]]}, expected 0 to 1.")
    return labels == 0, 1.0 - sure
