"""Draws as whole weights: what is refused, and running totals."""

from __future__ import annotations

import numpy as np
import pytest

from mmbench.metrics import weighted


@pytest.mark.parametrize(
    ("weights", "why"),
    [
        (np.ones(3), r"of shape \[3\], expected \[draws, 3\]"),
        (np.ones((2, 4)), r"of shape \[2, 4\], expected \[draws, 3\]"),
        (np.array([[1.0, 0.5, 1.0]]), "hold fractions"),
        (np.array([[1, -1, 1]]), "hold a negative number"),
    ],
)
def test_weights_that_are_no_counts(weights: np.ndarray, why: str) -> None:
    """A weight says how often a sample is drawn: other shapes, fractions and negative numbers are refused."""
    with pytest.raises(ValueError, match=why):
        weighted.whole_weights(weights, 3)


def test_no_weights_are_every_sample_once() -> None:
    """None is one draw of ones, and whole weights of any dtype become int64."""
    assert weighted.whole_weights(None, 3).tolist() == [[1, 1, 1]]
    for dtype in (np.float64, np.int32, np.uint8, np.bool_):
        found = weighted.whole_weights(np.array([[1, 0, 1]], dtype), 3)
        assert found.dtype == np.int64
        assert found.tolist() == [[1, 0, 1]]


def test_running_and_label_totals() -> None:
    """Totals start at 0; a label of no sample has the total 0."""
    weights = np.array([[1, 2, 3], [0, 5, 0]])
    assert weighted.running_totals(weights).tolist() == [[0, 1, 3, 6], [0, 0, 5, 5]]
    assert weighted.label_totals(weights, np.array([2, 0, 2]), 4).tolist() == [[2, 0, 4, 0], [5, 0, 0, 0]]


def test_large_totals_stay_exact() -> None:
    """Totals beyond 2^53, where float64 would round, are exact."""
    weights = np.array([[2**53, 1, 1]])
    assert weighted.running_totals(weights)[0, -1] == 2**53 + 2
