"""Classification with one label a sample against scikit-learn, by hand, and at the edges."""

from __future__ import annotations

import warnings
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.metrics import classification as c
from mmbench.metrics.ratios import mean


@pytest.fixture(scope="module")
def metrics() -> ModuleType:
    """scikit-learn's metrics, an independent reference."""
    return pytest.importorskip("sklearn.metrics")


def sums_of(predicted: list[int] | np.ndarray, targets: list[int] | np.ndarray, classes: int) -> np.ndarray:
    return c.label_rows(np.asarray(predicted, int), np.asarray(targets, int), classes).sum(axis=0).astype(np.float64)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 30), st.integers(1, 6), st.integers(0, 10**6))
def test_scikit_learn_agrees(metrics: ModuleType, n: int, classes: int, seed: int) -> None:
    """Every value, also with classes that are absent, only predicted or never predicted; 0 there is NaN here."""
    targets, predicted = np.random.default_rng(seed).integers(0, classes, (2, n))
    sums = sums_of(predicted, targets, classes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = {
            "accuracy": metrics.accuracy_score(targets, predicted),
            "balanced_accuracy": metrics.balanced_accuracy_score(targets, predicted),
            "cohens_kappa": metrics.cohen_kappa_score(targets, predicted),
            "matthews_correlation": metrics.matthews_corrcoef(targets, predicted),
        }
        for kind in ("precision", "recall", "f1"):
            score = getattr(metrics, f"{kind}_score")
            for average in ("macro", "micro", "weighted"):
                expected[f"{average}_{kind}"] = score(targets, predicted, average=average, zero_division=0)
    if len(set(targets)) == 1 or len(set(predicted)) == 1:
        expected["matthews_correlation"] = np.nan
    if len({*targets, *predicted}) == 1:
        expected["cohens_kappa"] = np.nan
    for name, value in expected.items():
        np.testing.assert_allclose(getattr(c, name)(sums), value, rtol=1e-12, atol=1e-12, err_msg=name)


def test_by_hand() -> None:
    """Six samples of four classes: class 2 is never predicted, class 3 only predicted."""
    sums = sums_of([0, 0, 1, 1, 3, 0], [0, 0, 0, 1, 1, 2], 4)
    assert c.class_precision(sums) == pytest.approx([2 / 3, 1 / 2, 0, 0])
    assert c.class_recall(sums) == pytest.approx([2 / 3, 1 / 2, 0, 0])
    assert c.class_f1(sums) == pytest.approx([2 / 3, 1 / 2, 0, 0])
    assert c.accuracy(sums) == 0.5
    assert c.balanced_accuracy(sums) == pytest.approx(7 / 6 / 3)
    assert c.macro_f1(sums) == pytest.approx(7 / 6 / 4)
    assert c.weighted_f1(sums) == pytest.approx((3 * 2 / 3 + 2 * 1 / 2) / 6)


def test_an_absent_class_has_no_value() -> None:
    """Declaring more classes than occur changes no mean, and their own value is NaN."""
    few, many = sums_of([0, 1, 1], [0, 0, 1], 2), sums_of([0, 1, 1], [0, 0, 1], 5)
    for name in ("macro_f1", "macro_precision", "macro_recall", "weighted_f1", "balanced_accuracy", "cohens_kappa"):
        assert getattr(c, name)(many) == getattr(c, name)(few)
    assert np.isnan(c.class_f1(many)[2:]).all()


def test_one_class_only() -> None:
    """All right and all of one class: accuracy is 1, what compares with chance is undefined."""
    sums = sums_of([1, 1], [1, 1], 3)
    assert c.accuracy(sums) == c.macro_f1(sums) == c.balanced_accuracy(sums) == 1
    assert np.isnan(c.cohens_kappa(sums))
    assert np.isnan(c.matthews_correlation(sums))
    assert c.accuracy(sums_of([0], [2], 3)) == 0


def test_nothing_is_undefined() -> None:
    """No sample, no value."""
    for name in ("accuracy", "balanced_accuracy", "macro_f1", "micro_f1", "weighted_f1", "cohens_kappa"):
        assert np.isnan(getattr(c, name)(np.zeros(9)))


def test_many_classes_without_wide_rows() -> None:
    """The sums of 5,000 classes from two numbers a sample are those of the one-hot rows, in every draw."""
    random = np.random.default_rng(0)
    targets, predicted = random.integers(0, 5000, (2, 300))
    predicted[::3] = targets[::3]
    weights = random.integers(0, 3, (20, 300))
    found = c.label_sums(c.label_pairs(predicted, targets, 5000), weights, 5000)
    np.testing.assert_array_equal(found, weights @ c.label_rows(predicted, targets, 5000))


def test_equal_scores_go_to_the_lower_class() -> None:
    """Labels and top-k share the tie rule: a constant score is a prediction of class 0, then 1."""
    scores = np.zeros((3, 3), np.float32)
    assert c.predicted_labels(scores).tolist() == [0, 0, 0]
    hits = [c.top_k_rows(scores, [0, 1, 2], k)[:, 0].tolist() for k in (1, 2, 3, 9)]
    assert hits == [[1, 0, 0], [1, 1, 0], [1, 1, 1], [1, 1, 1]]


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 20), st.integers(1, 6), st.sampled_from([2, 5, 1000]), st.integers(0, 10**6))
def test_top_k_against_a_stable_sort(n: int, classes: int, levels: int, seed: int) -> None:
    """A target is a hit when it is among the first k of a stable falling sort; top-1 is the accuracy."""
    random = np.random.default_rng(seed)
    scores, targets = random.integers(0, levels, (n, classes)), random.integers(0, classes, n)
    for k in (1, 2, 3):
        first = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        rows = c.top_k_rows(scores, targets, k)
        assert rows[:, 0].tolist() == (first == targets[:, None]).any(axis=1).tolist()
        assert (rows[:, 1] == 1).all()
    top_1 = mean(c.top_k_rows(scores, targets, 1).sum(axis=0))
    assert top_1 == c.accuracy(sums_of(c.predicted_labels(scores), targets, classes))


def test_top_k_of_scikit_learn(metrics: ModuleType) -> None:
    """Without ties the value is scikit-learn's."""
    random = np.random.default_rng(1)
    scores, targets = random.random((200, 10)), random.integers(0, 10, 200)
    for k in (1, 3, 5):
        expected = metrics.top_k_accuracy_score(targets, scores, k=k, labels=range(10))
        assert mean(c.top_k_rows(scores, targets, k).sum(axis=0)) == pytest.approx(expected, abs=1e-15)
