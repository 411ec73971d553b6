"""The accuracies of sentiment intensities, by the rules of their official code."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from mmbench.metrics import classification, sentiment


@pytest.fixture(scope="module")
def metrics() -> ModuleType:
    """scikit-learn's metrics, an independent reference."""
    return pytest.importorskip("sklearn.metrics")


def accuracy(rows: np.ndarray) -> float:
    return float(classification.accuracy(rows.sum(axis=0).astype(np.float64)))


def test_seven_classes() -> None:
    """Clipped to -3..3, then rounded, halves to the even number."""
    predictions = [9.0, 0.5, 1.5, -2.6, -0.4]
    targets = [2.6, 0.2, 1.0, -3.0, 0.6]
    rows = sentiment.seven_class_rows(predictions, targets)
    assert rows.shape == (5, 21)
    assert rows[:, :7].sum(axis=1).tolist() == [1, 1, 0, 1, 0]
    assert accuracy(rows) == pytest.approx(3 / 5)


def test_polarity() -> None:
    """With neutral samples 0 is not negative; without, targets of 0 are left out and a prediction of 0 is negative."""
    predictions, targets = [0.0, 0.0, -0.1, 0.3], [1.0, -1.0, 0.0, 2.0]
    assert accuracy(sentiment.polarity_rows(predictions, targets, neutral=True)) == pytest.approx(2 / 4)
    assert accuracy(sentiment.polarity_rows(predictions, targets, neutral=False)) == pytest.approx(2 / 3)
    assert sentiment.polarity_rows(predictions, targets, neutral=False)[2].tolist() == [0] * 6


def test_only_neutral_samples() -> None:
    """With every target neutral there is no Acc-2 without them."""
    assert np.isnan(accuracy(sentiment.polarity_rows([1.0], [0.0], neutral=False)))


@pytest.mark.parametrize("neutral", [True, False])
def test_f1_is_scikit_learns(metrics: ModuleType, neutral: bool) -> None:
    """The F1 that papers print beside Acc-2 is weighted by the targets."""
    random = np.random.default_rng(0)
    targets = random.integers(-3, 4, 300).astype(np.float64)
    predictions = targets + random.normal(size=300) * 2
    kept = slice(None) if neutral else targets != 0
    truth, guess = (side[kept] >= 0 if neutral else side[kept] > 0 for side in (targets, predictions))
    sums = sentiment.polarity_rows(predictions, targets, neutral=neutral).sum(axis=0).astype(np.float64)
    expected = metrics.f1_score(truth, guess, average="weighted")
    assert classification.weighted_f1(sums) == pytest.approx(expected, rel=1e-12)
    assert classification.accuracy(sums) == pytest.approx(metrics.accuracy_score(truth, guess), rel=1e-12)
