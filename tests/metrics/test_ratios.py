"""Ratios and means: undefined is NaN, never 0."""

from __future__ import annotations

import numpy as np

from mmbench.metrics import ratios

NAN = np.nan


def test_ratio() -> None:
    """0/0 is NaN, or 0 where the thing occurs."""
    np.testing.assert_array_equal(ratios.ratio(np.array([1.0, 0.0]), np.array([2.0, 0.0])), [0.5, NAN])
    occurs = np.array([True, True, False])
    found = ratios.ratio_where(np.array([1.0, 0.0, 0.0]), np.array([2.0, 0.0, 0.0]), occurs)
    np.testing.assert_array_equal(found, [0.5, 0.0, NAN])


def test_means_leave_out_what_is_undefined() -> None:
    """Plain and weighted means over the last axis; NaN where nothing is left."""
    values = np.array([[1.0, NAN, 3.0], [NAN, NAN, NAN]])
    np.testing.assert_array_equal(ratios.mean_of_defined(values), [2.0, NAN])
    weights = np.array([[3.0, 9.0, 1.0], [1.0, 1.0, 1.0]])
    np.testing.assert_array_equal(ratios.weighted_mean_of_defined(values, weights), [1.5, NAN])
    np.testing.assert_array_equal(ratios.weighted_mean_of_defined(values[0], np.zeros(3)), NAN)


def test_rows_of_means() -> None:
    """A value counts once, NaN and what is not counted not at all."""
    rows = ratios.mean_rows(np.array([0.25, NAN, 0.75]))
    assert rows.tolist() == [[0.25, 1.0], [0.0, 0.0], [0.75, 1.0]]
    assert ratios.mean(rows.sum(axis=0)) == 0.5
    hits = ratios.hit_rows(np.array([True, True, False]), np.array([True, False, True]))
    assert hits.dtype == np.int64
    assert hits.tolist() == [[1, 1], [0, 0], [0, 1]]
    assert np.isnan(ratios.mean(np.zeros(2)))
