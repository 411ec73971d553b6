"""Checks of the arrays that users hand to a metric.

An array of the wrong kind or shape is a ValueError; a row that holds something impossible is a SampleError that names
the row.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mmbench.core.errors import SampleError
from mmbench.core.metric import Floats, Ints

Bools = NDArray[np.bool_]

# Probabilities of half precision over many classes sum to 1 within less than this.
SUM_TOLERANCE = 1e-3


def numbers(what: str, values: ArrayLike, shape: tuple[int | None, ...], *, finite: bool = False) -> NDArray[Any]:
    """The values as a real array of this shape (None: any length), in their own dtype.

    Raises ValueError for another shape or for what are not numbers, SampleError for a row with NaN or, where
    ``finite``, infinity.
    """
    array = np.asarray(values)
    if array.dtype.kind not in "fiu":
        raise ValueError(f"The {what} hold {array.dtype} values, expected numbers.")
    _check_shape(what, array, shape)
    # The extremes carry NaN and infinity, so that large arrays need no mask of their size.
    if array.size and not _is_fine(np.array([array.min(), array.max()]), finite).all():
        row = np.argwhere(~_is_fine(array, finite))[0]
        expected = "finite numbers" if finite else "numbers"
        raise SampleError(f"Row {row[0]} of the {what} holds {array[tuple(row)]}; expected {expected}.")
    return array


def class_numbers(what: str, values: ArrayLike, count: int | None, classes: int) -> Ints:
    """int64 [count] (None: any length) within 0..classes-1.

    Raises ValueError for another shape or kind, SampleError for a row out of range.
    """
    labels = whole_numbers(what, values, (count,))
    wrong = np.flatnonzero((labels < 0) | (labels >= classes))
    if wrong.size:
        raise SampleError(f"Row {wrong[0]} of the {what} holds {labels[wrong[0]]}; expected 0..{classes - 1}.")
    return labels


def whole_numbers(what: str, values: ArrayLike, shape: tuple[int | None, ...]) -> Ints:
    """int64 of this shape (None: any length); raises ValueError for another shape or another kind than integers."""
    array = np.asarray(values)
    if array.dtype.kind not in "biu":
        raise ValueError(f"The {what} hold {array.dtype} values, expected whole numbers.")
    _check_shape(what, array, shape)
    return array.astype(np.int64, copy=False)


def indicators(what: str, values: ArrayLike, shape: tuple[int | None, ...]) -> Bools:
    """Bool of this shape from bool or 0/1 integers; raises ValueError, or SampleError for a row with another number."""
    array = np.asarray(values)
    if array.dtype == np.bool_:
        _check_shape(what, array, shape)
        return array
    marks = whole_numbers(what, array, shape)
    wrong = np.argwhere((marks != 0) & (marks != 1))
    if wrong.size:
        raise SampleError(f"Row {wrong[0][0]} of the {what} holds {marks[tuple(wrong[0])]}; expected 0 or 1.")
    marked: Bools = marks == 1
    return marked


def shares(what: str, values: ArrayLike, shape: tuple[int | None, ...]) -> Floats:
    """float64 of this shape, each within 0..1; raises ValueError, or SampleError for a row out of range."""
    array = numbers(what, values, shape).astype(np.float64)
    wrong = np.argwhere((array < 0) | (array > 1))
    if wrong.size:
        raise SampleError(f"Row {wrong[0][0]} of the {what} holds {array[tuple(wrong[0])]}; expected 0..1.")
    return array


def distributions(what: str, values: ArrayLike) -> Floats:
    """float64 [n,C] of rows that sum to 1 within ``SUM_TOLERANCE``; raises ValueError, or SampleError for a row.

    The rows are not normalised again.
    """
    array = shares(what, values, (None, None))
    totals = array.sum(axis=1)
    wrong = np.flatnonzero(np.abs(totals - 1) > SUM_TOLERANCE)
    if wrong.size:
        raise SampleError(
            f"Row {wrong[0]} of the {what} sums to {totals[wrong[0]]:.6g}; expected 1: apply the softmax."
        )
    return array


def positive(what: str, value: int) -> None:
    """Raises ValueError when the value is below 1."""
    if value < 1:
        raise ValueError(f"The {what} is {value}, expected 1 or more.")


def _is_fine(array: NDArray[Any], finite: bool) -> Bools:
    fine: Bools = np.isfinite(array) if finite else ~np.isnan(array)
    return fine


def _check_shape(what: str, array: NDArray[Any], shape: tuple[int | None, ...]) -> None:
    fits = array.ndim == len(shape) and all(e is None or e == a for e, a in zip(shape, array.shape, strict=True))
    if not fits:
        expected = ", ".join("any" if e is None else str(e) for e in shape)
        raise ValueError(f"The {what} are of shape {list(array.shape)}, expected [{expected}].")
