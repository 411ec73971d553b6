"""Average precision and recall of match lists, for any integer weights of the images.

A weighted image counts as if it occurred that many times, copy beside copy: the figures of a bootstrap draw are those
that the official scorer gives for the images literally repeated.

Precision is read at 101 points of recall, 0 to 1, each time the highest at that recall or beyond (Everingham et al.
2010, with COCO's points). Detections are sorted by score once; equal scores go by image id, then by rank. A draw is
then cumulated weights (``mmbench.metrics.precision_curve``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from mmbench.core.metric import Floats
from mmbench.metrics.coco_settings import Figure
from mmbench.metrics.match_rows import MatchRows
from mmbench.metrics.precision_curve import class_curves

# Draws at once: what is cumulated for a class should stay in the cache, and be bounded for large classes.
_DRAWS = 100
_CELLS = 1 << 21


def average_precision(
    rows: MatchRows, weights: NDArray[np.integer] | None = None, figures: Sequence[str] | None = None
) -> Floats:
    """float64 [draws,F]: the figures (names as in ``rows.settings``, all by default) in each draw.

    ``weights``: integers from 0 up, [draws,n], the times that each image counts; without them one draw of all images.
    A figure is the mean over the classes that have objects in the draw; NaN where none has (official: -1).
    Raises UnknownName for a figure, ValueError for weights of another shape or kind.
    """
    chosen = rows.settings.named(figures)
    parts = [_mean(values) for values in _by_class(rows, weights, chosen)]
    return np.concatenate(parts)


def class_average_precision(
    rows: MatchRows, weights: NDArray[np.integer] | None = None, figures: Sequence[str] | None = None
) -> Floats:
    """float64 [draws,C,F]: the same of each class; NaN for a class without objects in the draw."""
    chosen = rows.settings.named(figures)
    return np.concatenate(list(_by_class(rows, weights, chosen)))


def _mean(values: Floats) -> Floats:
    """[d,F]: mean over the classes of [d,C,F] that have a value."""
    defined = ~np.isnan(values)
    count = defined.sum(axis=1)
    total = np.where(defined, values, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _by_class(rows: MatchRows, weights: NDArray[np.integer] | None, figures: Sequence[Figure]) -> Iterator[Floats]:
    """Chunks float64 [d,C,F] of the draws."""
    draws = _checked(weights, len(rows))
    lists = list(class_curves(rows, draws.max(axis=0).astype(np.int64), {figure.area for figure in figures}))
    longest = max((part.image.size for part in lists), default=1)
    step = max(1, min(_DRAWS, _CELLS // max(longest, 1)))
    for start in range(0, len(draws), step):
        by_image = np.ascontiguousarray(draws[start : start + step].T, dtype=np.int64)
        values = np.empty((by_image.shape[1], len(lists), len(figures)))
        for c, part in enumerate(lists):
            values[:, c] = part.values(by_image, figures)
        yield values


def _checked(weights: NDArray[np.integer] | None, images: int) -> NDArray[np.integer]:
    if weights is None:
        return np.ones((1, images), dtype=np.int64)
    if weights.ndim != 2 or weights.shape[1] != images or not len(weights):
        raise ValueError(f"weights have shape {weights.shape}, expected [draws,{images}]")
    if weights.dtype.kind not in "iu" or weights.min(initial=0) < 0:
        raise ValueError("weights must be integers from 0 up")
    return weights
