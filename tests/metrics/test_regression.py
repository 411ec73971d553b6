"""Regression against scikit-learn, scipy and the definitions, far from 0 and at the edges."""

from __future__ import annotations

import warnings
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mmbench.metrics import regression as r


@pytest.fixture(scope="module")
def metrics() -> ModuleType:
    """scikit-learn's metrics, an independent reference."""
    return pytest.importorskip("sklearn.metrics")


def numbers(n: int, seed: int, levels: int = 10**6) -> tuple[np.ndarray, np.ndarray]:
    """Predictions and targets [n] of some correlation, on about ``levels`` values."""
    random = np.random.default_rng(seed)
    targets = np.round(random.normal(size=n) * levels / 4)
    return np.round(targets / 2 + random.normal(size=n) * levels / 4), targets


def moments(pairs: np.ndarray) -> np.ndarray:
    return r.moment_rows(pairs, r.centres(pairs)).sum(axis=0)


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 40), st.integers(0, 10**6))
def test_scikit_learn_and_scipy_agree(metrics: ModuleType, n: int, seed: int) -> None:
    """Errors, R^2, both correlations."""
    predictions, targets = numbers(n, seed)
    pairs = r.pair_rows(predictions, targets)
    errors = r.error_rows(pairs).sum(axis=0)
    assert r.mae(errors) == pytest.approx(metrics.mean_absolute_error(targets, predictions), rel=1e-12)
    assert r.mse(errors) == pytest.approx(metrics.mean_squared_error(targets, predictions), rel=1e-12)
    assert r.rmse(errors) == pytest.approx(metrics.root_mean_squared_error(targets, predictions), rel=1e-12)
    assert r.r_squared(moments(pairs)) == pytest.approx(metrics.r2_score(targets, predictions), rel=1e-9, abs=1e-9)
    assert r.pearson(moments(pairs)) == pytest.approx(np.corrcoef(predictions, targets)[0, 1], abs=1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = stats.spearmanr(predictions, targets).statistic
    assert r.spearman(pairs)[0] == pytest.approx(expected, abs=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 30), st.integers(1, 6), st.integers(0, 10**6))
def test_spearman_with_ties(n: int, levels: int, seed: int) -> None:
    """Ties share their mean rank, as scipy's do; NaN when a side is constant."""
    predictions, targets = numbers(n, seed, levels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = stats.spearmanr(predictions, targets).statistic
    np.testing.assert_allclose(r.spearman(r.pair_rows(predictions, targets))[0], expected, atol=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 40), st.integers(0, 10**6))
def test_concordance_by_the_definition(n: int, seed: int) -> None:
    """Lin's formula with population variances; it is at most the correlation in size."""
    predictions, targets = numbers(n, seed)
    x, y = predictions / 1e5, targets / 1e5 + 0.5
    covariance = ((x - x.mean()) * (y - y.mean())).mean()
    expected = 2 * covariance / (x.var() + y.var() + (x.mean() - y.mean()) ** 2)
    found = r.concordance(moments(r.pair_rows(x, y)))
    assert found == pytest.approx(expected, abs=1e-12)
    assert abs(found) <= abs(r.pearson(moments(r.pair_rows(x, y)))) + 1e-12


def test_far_from_zero() -> None:
    """Offsets of a billion with a spread of one lose nothing that the numbers themselves hold, in every draw."""
    random = np.random.default_rng(0)
    y = random.normal(size=500)
    x = y + 0.5 * random.normal(size=500)
    # Multiples of 2^-20 stay exact when the offset is added.
    x, y = (np.round(side * 2**20) / 2**20 for side in (x, y))
    near, far = r.pair_rows(x, y), r.pair_rows(x + 1e9, y + 1e9)
    weights = random.integers(0, 3, (20, 500)).astype(np.float64)
    for value in (r.r_squared, r.pearson, r.concordance):
        expected = value(weights @ r.moment_rows(near, r.centres(near)))
        np.testing.assert_allclose(value(weights @ r.moment_rows(far, r.centres(far))), expected, rtol=1e-9)


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 20), st.integers(0, 10**6), st.floats(-3, 3), st.floats(-3, 3))
def test_the_centres_do_not_matter(n: int, seed: int, a: float, b: float) -> None:
    """Moments about other centres near the data give the same values but for rounding."""
    predictions, targets = numbers(n, seed, 1000)
    pairs = r.pair_rows(predictions / 500, targets / 500)
    other = r.moment_rows(pairs, (a, b)).sum(axis=0)
    for value in (r.r_squared, r.pearson, r.concordance):
        np.testing.assert_allclose(value(other), value(moments(pairs)), rtol=1e-6, atol=1e-6)


def test_centres_are_the_values_nearest_to_the_means() -> None:
    """One of the predictions and one of the targets."""
    assert r.centres(r.pair_rows([0, 1, 9], [5, 7, 6])) == (1, 6)


def test_constant_sides() -> None:
    """A constant has no correlation, a constant target no R^2; the concordance of a constant with anything is 0."""
    varied, constant = np.array([0.1, 0.3, 0.7]), np.full(3, 0.1)
    for x, y in ((constant, varied), (varied, constant), (constant, constant)):
        pairs = r.pair_rows(x, y)
        assert np.isnan(r.pearson(moments(pairs)))
        assert np.isnan(r.spearman(pairs)[0])
    assert np.isnan(r.r_squared(moments(r.pair_rows(varied, constant))))
    assert r.concordance(moments(r.pair_rows(constant, varied))) == 0
    assert np.isnan(r.concordance(moments(r.pair_rows(constant, constant))))
    assert r.concordance(moments(r.pair_rows(constant, constant + 1))) == 0


def test_one_and_none() -> None:
    """One sample has an error and nothing else; none has nothing."""
    one = r.pair_rows([1.5], [1.0])
    assert r.mae(r.error_rows(one).sum(axis=0)) == 0.5
    assert np.isnan(r.pearson(moments(one)))
    assert np.isnan(r.r_squared(moments(one)))
    assert np.isnan(r.spearman(one)[0])
    assert np.isnan(r.rmse(np.zeros(3)))
    assert np.isnan(r.concordance(np.zeros(8)))


def test_perfect_and_reversed() -> None:
    """The same numbers are 1, turned round -1; a shift keeps the correlation and costs concordance."""
    x = np.array([1.0, 2.0, 4.0])
    for value in (r.pearson, r.concordance):
        assert value(moments(r.pair_rows(x, x))) == pytest.approx(1, abs=1e-15)
    assert r.r_squared(moments(r.pair_rows(x, x))) == 1
    assert r.pearson(moments(r.pair_rows(-x, x))) == pytest.approx(-1, abs=1e-15)
    assert r.spearman(r.pair_rows(np.exp(x), x))[0] == 1
    assert r.pearson(moments(r.pair_rows(x + 5, x))) == pytest.approx(1, abs=1e-15)
    assert r.concordance(moments(r.pair_rows(x + 5, x))) < 0.2
