"""Label sets against scikit-learn."""

from __future__ import annotations

import warnings
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.metrics import classification, multilabel
from mmbench.metrics.ratios import mean


@pytest.fixture(scope="module")
def metrics() -> ModuleType:
    """scikit-learn's metrics, an independent reference."""
    return pytest.importorskip("sklearn.metrics")


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 20), st.integers(2, 5), st.integers(0, 10**6))
def test_scikit_learn_agrees(metrics: ModuleType, n: int, classes: int, seed: int) -> None:
    """F1, precision and recall of scores at a threshold and subset accuracy; absent labels are left out there too."""
    random = np.random.default_rng(seed)
    scores, targets = random.random((n, classes)), random.random((n, classes)) < 0.3
    predicted = multilabel.predicted_sets(scores, 0.6)
    sums = multilabel.label_set_rows(predicted, targets).sum(axis=0).astype(np.float64)
    occurs = (predicted | targets).any(axis=0)
    for kind in ("precision", "recall", "f1"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            score = getattr(metrics, f"{kind}_score")
            each = score(targets, predicted, average=None, zero_division=0)
            micro = score(targets, predicted, average="micro", zero_division=np.nan)
        np.testing.assert_allclose(getattr(classification, f"class_{kind}")(sums)[occurs], each[occurs], atol=1e-15)
        macro = each[occurs].mean() if occurs.any() else np.nan
        np.testing.assert_allclose(getattr(classification, f"macro_{kind}")(sums), macro, rtol=1e-12)
        np.testing.assert_allclose(getattr(classification, f"micro_{kind}")(sums), micro, rtol=1e-12)
    subset = mean(multilabel.subset_rows(predicted, targets).sum(axis=0))
    assert subset == pytest.approx(metrics.accuracy_score(targets, predicted), abs=1e-15)


def test_the_threshold_is_reached() -> None:
    """A score equal to the threshold is a prediction, in the precision of the scores; logits take another threshold."""
    assert multilabel.predicted_sets([[0.5, 0.49]]).tolist() == [[True, False]]
    assert multilabel.predicted_sets(np.array([[0.7, 0.69]], np.float32), 0.7).tolist() == [[True, False]]
    assert multilabel.predicted_sets([[0, -1]], 0.0).tolist() == [[True, False]]


def test_a_sample_without_labels() -> None:
    """Predicting nothing where nothing is there is right as a set and has no F1."""
    none = np.zeros((1, 3), bool)
    assert mean(multilabel.subset_rows(none, none).sum(axis=0)) == 1
    assert np.isnan(classification.micro_f1(multilabel.label_set_rows(none, none).sum(axis=0).astype(np.float64)))
