"""AUROC and average precision against scikit-learn, the pairs themselves and known answers."""

from __future__ import annotations

import warnings
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.metrics import curves


@pytest.fixture(scope="module")
def metrics() -> ModuleType:
    """scikit-learn's metrics, an independent reference."""
    return pytest.importorskip("sklearn.metrics")


def ranking(n: int, levels: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores [n] on ``levels`` values (many ties when few) that favour the positives, and targets [n] of both kinds."""
    random = np.random.default_rng(seed)
    targets = random.random(n) < 0.4
    targets[:2] = False, True
    return np.floor(levels * random.random(n) + targets) / levels, targets


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 40), st.sampled_from([1, 3, 10**6]), st.integers(0, 10**6))
def test_scikit_learn_agrees(metrics: ModuleType, n: int, levels: int, seed: int) -> None:
    """Binary areas, with and without ties, unweighted and with whole weights."""
    scores, targets = ranking(n, levels, seed)
    weights = np.random.default_rng(seed).integers(0, 4, (3, n))
    weights[:, :2] = 1
    rows = curves.binary_rows(scores, targets)
    for value, reference in (
        (curves.auroc, metrics.roc_auc_score),
        (curves.average_precision, metrics.average_precision_score),
    ):
        assert value(rows)[0] == pytest.approx(reference(targets, scores), rel=1e-12)
        expected = [reference(targets, scores, sample_weight=w) for w in weights]
        assert value(rows, weights) == pytest.approx(expected, rel=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.integers(4, 40), st.sampled_from([2, 10**6]), st.integers(0, 10**6))
def test_several_classes(metrics: ModuleType, n: int, levels: int, seed: int) -> None:
    """One against the rest and label sets, macro and weighted, are scikit-learn's where every class occurs."""
    random = np.random.default_rng(seed)
    targets = np.append([0, 1, 2], random.integers(0, 3, n - 3))
    scores = random.integers(1, levels + 1, (n, 3)) / levels
    scores /= scores.sum(axis=1, keepdims=True)
    rows = curves.one_vs_rest_rows(scores, targets)
    for name, value in (("macro", curves.auroc), ("weighted", curves.weighted_auroc)):
        expected = metrics.roc_auc_score(targets, scores, multi_class="ovr", average=name)
        assert value(rows)[0] == pytest.approx(expected, rel=1e-12)
    sets = random.random((n, 3)) < 0.5
    sets[:2] = [[True] * 3, [False] * 3]
    rows = curves.multilabel_rows(scores, sets)
    for name, value in (("macro", curves.average_precision), ("weighted", curves.weighted_average_precision)):
        assert value(rows)[0] == pytest.approx(metrics.average_precision_score(sets, scores, average=name), rel=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 30), st.sampled_from([1, 3, 10**6]), st.integers(0, 10**6))
def test_auroc_is_the_share_of_won_pairs(n: int, levels: int, seed: int) -> None:
    """Counted pair by pair, a tie is half a win."""
    scores, targets = ranking(n, levels, seed)
    difference = scores[targets][:, None] - scores[~targets]
    expected = ((difference > 0) + (difference == 0) / 2).mean()
    assert curves.auroc(curves.binary_rows(scores, targets))[0] == pytest.approx(expected, rel=1e-14)


def test_known_answers() -> None:
    """Perfect, reversed and constant scores; the average precision of a constant is the share of positives."""
    targets = [0, 0, 1, 1, 1]
    perfect, reversed_, constant = ([1, 2, 3, 4, 5], [5, 4, 3, 2, 1], [7] * 5)
    assert [curves.auroc(curves.binary_rows(s, targets))[0] for s in (perfect, reversed_, constant)] == [1, 0, 0.5]
    assert curves.average_precision(curves.binary_rows(perfect, targets))[0] == 1
    assert curves.average_precision(curves.binary_rows(constant, targets))[0] == pytest.approx(0.6)
    expected = (1 / 3 + 2 / 4 + 3 / 5) / 3
    assert curves.average_precision(curves.binary_rows(reversed_, targets))[0] == pytest.approx(expected)


def test_infinite_scores_rank_last_and_first() -> None:
    """-inf and inf are scores like others."""
    rows = curves.binary_rows([-np.inf, 0.0, np.inf], [0, 1, 1])
    assert curves.auroc(rows)[0] == curves.average_precision(rows)[0] == 1


def test_what_is_undefined() -> None:
    """One kind of target has no AUROC; without a positive there is no AP; one sample has at most an AP."""
    assert np.isnan(curves.auroc(curves.binary_rows([0.1, 0.9], [1, 1])))
    assert curves.average_precision(curves.binary_rows([0.1, 0.9], [1, 1]))[0] == 1
    assert np.isnan(curves.average_precision(curves.binary_rows([0.1, 0.9], [0, 0])))
    assert np.isnan(curves.auroc(curves.binary_rows([0.1], [1])))
    for value in (curves.auroc, curves.average_precision):
        assert np.isnan(value(np.zeros((0, 2))))


def test_a_class_that_is_undefined_is_left_out() -> None:
    """A class without positives is in no mean, in the whole set as in a draw that misses them."""
    scores = np.array([[0.9, 0.1, 0.3], [0.2, 0.8, 0.3], [0.6, 0.4, 0.3]])
    rows = curves.one_vs_rest_rows(scores, [0, 1, 0])
    each = curves.class_auroc(rows)[0]
    assert each[:2].tolist() == [1, 1]
    assert np.isnan(each[2])
    assert curves.auroc(rows)[0] == curves.weighted_auroc(rows)[0] == 1
    assert np.isnan(curves.auroc(rows, np.array([[1, 0, 1]]))[0])
    assert curves.average_precision(rows, np.array([[1, 0, 1]]))[0] == 1


def test_scores_of_single_precision_keep_their_ties() -> None:
    """float32 scores are compared as they are: rows in float64 make no tie and break none."""
    scores = np.float32([0.1, 0.1, np.nextafter(np.float32(0.1), np.float32(1))])
    assert curves.auroc(curves.binary_rows(scores, [0, 1, 1]))[0] == 0.75


def test_scikit_learns_zero_is_undefined_here(metrics: ModuleType) -> None:
    """The one documented difference: without positives scikit-learn's average precision is 0, with a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert metrics.average_precision_score([0, 0], [0.1, 0.9]) == 0
