"""Brier score and negative log-likelihood against scikit-learn, scipy and by hand."""

from __future__ import annotations

import math
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax, softmax

from mmbench.metrics import probability
from mmbench.metrics.ratios import mean


@pytest.fixture(scope="module")
def metrics() -> ModuleType:
    """scikit-learn's metrics, an independent reference."""
    return pytest.importorskip("sklearn.metrics")


def made(n: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Logits [n,C] of some strength and targets [n]."""
    random = np.random.default_rng(seed)
    return 3 * random.normal(size=(n, classes)), random.integers(0, classes, n)


def nll(rows: np.ndarray) -> float:
    return float(probability.nll(rows.sum(axis=0)))


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 30), st.integers(2, 6), st.integers(0, 10**6))
def test_scikit_learn_agrees(metrics: ModuleType, n: int, classes: int, seed: int) -> None:
    """Brier and log loss of several classes, and the binary Brier score."""
    logits, targets = made(n, classes, seed)
    table = softmax(logits, axis=1)
    labels = list(range(classes))
    brier = float(mean(probability.brier_rows(table, targets).sum(axis=0)))
    expected = metrics.brier_score_loss(targets, table, labels=labels, scale_by_half=False)
    assert brier == pytest.approx(expected, rel=1e-12)
    assert nll(probability.nll_rows(table, targets)) == pytest.approx(metrics.log_loss(targets, table, labels=labels))
    assert nll(probability.nll_rows_of_logits(logits, targets)) == pytest.approx(
        -log_softmax(logits, axis=1)[np.arange(n), targets].mean(), rel=1e-12
    )


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 30), st.integers(0, 10**6))
def test_two_classes(n: int, seed: int) -> None:
    """The score of two classes is twice the binary one."""
    logits, targets = made(n, 2, seed)
    table = softmax(logits, axis=1)
    both = mean(probability.brier_rows(table, targets).sum(axis=0))
    one = mean(probability.binary_brier_rows(table[:, 1], targets).sum(axis=0))
    assert both == pytest.approx(2 * one, rel=1e-12)


def test_by_hand() -> None:
    """One sure and right, one sure and wrong, one undecided."""
    table = [[1.0, 0.0], [0.0, 1.0], [0.5, 0.5]]
    assert probability.brier_rows(table, [0, 0, 0]).tolist() == [[0, 1], [2, 1], [0.5, 1]]
    assert probability.binary_brier_rows([1.0, 0.25], [True, False])[:, 0].tolist() == [0, 0.0625]
    assert nll(probability.nll_rows(table[2:], [1])) == math.log(2)


def test_an_impossible_target() -> None:
    """A target of probability 0 makes the mean infinite where it is drawn, and nowhere else."""
    rows = probability.nll_rows([[1.0, 0.0], [0.5, 0.5]], [1, 0])
    assert np.isfinite(rows).all()
    found = probability.nll(np.array([[1.0, 1.0], [0.0, 2.0], [0.0, 0.0]]) @ rows)
    np.testing.assert_array_equal(found, [np.inf, math.log(2), np.nan])


def test_logits_far_apart() -> None:
    """Where the softmax underflows to 0 the logits still tell the loss; -inf rules a class out."""
    assert nll(probability.nll_rows_of_logits([[0.0, 5000.0]], [0])) == 5000
    assert nll(probability.nll_rows_of_logits([[0.0, -np.inf]], [0])) == 0
    assert nll(probability.nll_rows_of_logits([[0.0, -np.inf]], [1])) == np.inf
    assert nll(probability.nll_rows_of_logits(np.full((1, 4), 1e300), [3])) == math.log(4)
