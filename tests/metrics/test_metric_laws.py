"""Laws of every metric of classification, probability, retrieval and regression, on data full of ties and gaps.

Whole weights are literal repetition, merging is concatenating rows, the order of samples does not matter, many draws at
once are the draws one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.metrics import (
    calibration,
    classification,
    curves,
    multilabel,
    probability,
    ratios,
    regression,
    retrieval,
    sentiment,
    weighted,
)

CLASSES = 3
ABOUT = (0.5, -0.25)


@dataclass(frozen=True)
class Data:
    """n samples of everything: coarse scores [n,3], labels [n], label sets [n,3], numbers [n] in tenths."""

    scores: np.ndarray
    labels: np.ndarray
    sets: np.ndarray
    x: np.ndarray
    y: np.ndarray

    @property
    def probabilities(self) -> np.ndarray:
        return (self.scores + 1) / (self.scores + 1).sum(axis=1, keepdims=True)

    @property
    def pairs(self) -> np.ndarray:
        return regression.pair_rows(self.x, self.y)

    def __getitem__(self, index: slice | np.ndarray) -> Data:
        return Data(self.scores[index], self.labels[index], self.sets[index], self.x[index], self.y[index])


def made(n: int, seed: int, levels: int) -> Data:
    random = np.random.default_rng(seed)
    scores = random.integers(0, levels, (n, CLASSES)).astype(np.float64)
    sets = random.random((n, CLASSES)) < 0.4
    x, y = random.integers(-2 * levels, 2 * levels + 1, (2, n)) / 10
    return Data(scores, random.integers(0, min(CLASSES, levels), n), sets, x, y)


def label_rows(data: Data) -> np.ndarray:
    return classification.label_rows(classification.predicted_labels(data.scores), data.labels, CLASSES)


def set_rows(data: Data) -> np.ndarray:
    return multilabel.label_set_rows(multilabel.predicted_sets(data.scores, 1.0), data.sets)


def bins(data: Data) -> np.ndarray:
    return calibration.bin_rows(calibration.top_label(data.probabilities, data.labels), 5)


def moments(data: Data) -> np.ndarray:
    return regression.moment_rows(data.pairs, ABOUT)


def errors(data: Data) -> np.ndarray:
    return regression.error_rows(data.pairs)


def ranks(data: Data) -> np.ndarray:
    return retrieval.first_ranks(data.scores, data.sets)


def sharp(data: Data) -> np.ndarray:
    """Probabilities of 0 and 1: some targets are impossible."""
    return np.eye(CLASSES)[data.scores.argmax(axis=1)]


Rows = Callable[[Data], np.ndarray]
COUNTED = (
    "accuracy",
    "balanced_accuracy",
    "class_precision",
    "class_recall",
    "class_f1",
    "macro_precision",
    "macro_recall",
    "macro_f1",
    "weighted_precision",
    "weighted_recall",
    "weighted_f1",
    "micro_precision",
    "micro_recall",
    "micro_f1",
    "cohens_kappa",
    "matthews_correlation",
)
OF_SETS = tuple(name for name in COUNTED if "_f1" in name or "precision" in name or "recall" in name)

SUMS: dict[str, tuple[Rows, Callable[[np.ndarray], np.ndarray]]] = {
    **{name: (label_rows, getattr(classification, name)) for name in COUNTED},
    **{f"sets {name}": (set_rows, getattr(classification, name)) for name in OF_SETS},
    "top-2": (lambda d: classification.top_k_rows(d.scores, d.labels, 2), ratios.mean),
    "subset": (lambda d: multilabel.subset_rows(d.sets, d.scores > 1), ratios.mean),
    "brier": (lambda d: probability.brier_rows(d.probabilities, d.labels), ratios.mean),
    "binary brier": (lambda d: probability.binary_brier_rows(d.probabilities[:, 0], d.sets[:, 0]), ratios.mean),
    "nll": (lambda d: probability.nll_rows(sharp(d), d.labels), probability.nll),
    "nll of logits": (lambda d: probability.nll_rows_of_logits(d.scores, d.labels), probability.nll),
    "ece": (bins, calibration.ece),
    "mce": (bins, calibration.mce),
    "R@1": (lambda d: retrieval.rank_hit_rows(ranks(d), 1), ratios.mean),
    "MRR": (lambda d: retrieval.reciprocal_rank_rows(ranks(d)), ratios.mean),
    "recall@2": (lambda d: retrieval.recall_rows(d.scores, d.sets, 2), ratios.mean),
    "nDCG@2": (lambda d: retrieval.ndcg_rows(d.scores, d.sets, 2), ratios.mean),
    "mae": (errors, regression.mae),
    "mse": (errors, regression.mse),
    "rmse": (errors, regression.rmse),
    "r2": (moments, regression.r_squared),
    "pearson": (moments, regression.pearson),
    "concordance": (moments, regression.concordance),
    "acc-7": (lambda d: sentiment.seven_class_rows(d.x, d.y), classification.accuracy),
    "acc-2": (lambda d: sentiment.polarity_rows(d.x, d.y, neutral=False), classification.accuracy),
}

WEIGHTED: dict[str, tuple[Rows, Callable[..., np.ndarray]]] = {
    "auroc": (lambda d: curves.one_vs_rest_rows(d.scores, d.labels), curves.auroc),
    "weighted auroc": (lambda d: curves.one_vs_rest_rows(d.scores, d.labels), curves.weighted_auroc),
    "binary auroc": (lambda d: curves.binary_rows(d.scores[:, 0], d.sets[:, 0]), curves.auroc),
    "ap": (lambda d: curves.binary_rows(d.scores[:, 0], d.sets[:, 0]), curves.average_precision),
    "map": (lambda d: curves.multilabel_rows(d.scores, d.sets), curves.average_precision),
    "weighted map": (lambda d: curves.multilabel_rows(d.scores, d.sets), curves.weighted_average_precision),
    "adaptive ece": (
        lambda d: calibration.top_label(d.probabilities, d.labels),
        lambda rows, weights=None: calibration.adaptive_ece(rows, weights, 4),
    ),
    "median rank": (ranks, retrieval.median_rank),
    "spearman": (lambda d: d.pairs, regression.spearman),
    "label sums": (
        lambda d: classification.label_pairs(classification.predicted_labels(d.scores), d.labels, CLASSES),
        lambda rows, weights=None: classification.label_sums(rows, weights, CLASSES),
    ),
}

DATA = st.builds(made, st.integers(1, 14), st.integers(0, 10**6), st.sampled_from([1, 2, 4, 30]))


def weights_of(n: int, seed: int, draws: int = 5) -> np.ndarray:
    """int64 [draws,n] of 0..3; the last draw is empty."""
    weights = np.random.default_rng(seed).integers(0, 4, (draws, n))
    weights[-1] = 0
    return weights


def same(found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", SUMS)
@settings(max_examples=25, deadline=None)
@given(data=DATA, seed=st.integers(0, 10**6))
def test_weighted_sums_are_repetition(name: str, data: Data, seed: int) -> None:
    """The value of a matrix product of draws with rows is the value of each draw's repeated samples."""
    make, value = SUMS[name]
    rows, weights = make(data), weights_of(len(data.x), seed)
    assert rows.dtype in (np.int64, np.float64)
    found = value(weights.astype(np.float64) @ rows)
    each = np.arange(len(data.x))
    expected = [value(make(data[np.repeat(each, w)]).sum(axis=0).astype(np.float64)) for w in weights]
    same(found, np.array(expected))
    assert np.isnan(found[-1]).all()


@pytest.mark.parametrize("name", WEIGHTED)
@settings(max_examples=25, deadline=None)
@given(data=DATA, seed=st.integers(0, 10**6))
def test_weights_are_repetition(name: str, data: Data, seed: int) -> None:
    """The value of a weighted draw is the value of its repeated samples; of an empty draw there is none."""
    make, value = WEIGHTED[name]
    weights = weights_of(len(data.x), seed)
    found = value(make(data), weights)
    each = np.arange(len(data.x))
    same(found, np.concatenate([value(make(data[np.repeat(each, w)])) for w in weights]))
    assert (np.isnan(found[-1]) if name != "label sums" else found[-1] == 0).all()
    same(value(make(data)), value(make(data), np.ones((1, len(data.x)))))


@pytest.mark.parametrize("name", [*SUMS, *WEIGHTED])
@settings(max_examples=25, deadline=None)
@given(data=DATA, cut=st.integers(0, 14))
def test_merging_is_concatenation(name: str, data: Data, cut: int) -> None:
    """The rows of two parts, one after the other, are the rows of the whole, bit for bit."""
    make = (SUMS | WEIGHTED)[name][0]
    merged = np.concatenate([make(data[:cut]), make(data[cut:])])
    np.testing.assert_array_equal(merged, make(data))


@pytest.mark.parametrize("name", WEIGHTED)
@settings(max_examples=25, deadline=None)
@given(data=DATA, seed=st.integers(0, 10**6))
def test_the_order_of_samples_does_not_matter(name: str, data: Data, seed: int) -> None:
    """Samples and weights permuted alike give the same values."""
    make, value = WEIGHTED[name]
    weights = weights_of(len(data.x), seed)
    order = np.random.default_rng(seed).permutation(len(data.x))
    same(value(make(data[order]), weights[:, order]), value(make(data), weights))


@pytest.mark.parametrize("name", WEIGHTED)
def test_chunks_do_not_show(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Draws computed one at a time, in chunks that do not divide them, or all at once are the same; so is no draw."""
    make, value = WEIGHTED[name]
    data = made(40, 3, 4)
    weights = weights_of(40, 5, draws=11)
    whole = value(make(data), weights)
    for chunk in (1, 3 * 40):
        monkeypatch.setattr(weighted, "_CHUNK", chunk)
        np.testing.assert_array_equal(value(make(data), weights), whole)
    assert value(make(data), weights[:0]).shape == (0, *whole.shape[1:])


@pytest.mark.parametrize("name", SUMS)
def test_leading_axes_are_draws(name: str) -> None:
    """Sums of any leading shape give values of that shape."""
    make, value = SUMS[name]
    rows = make(made(12, 1, 4))
    sums = np.random.default_rng(0).integers(0, 3, (2, 3, 12)).astype(np.float64) @ rows
    found = value(sums)
    assert found.shape[:2] == (2, 3)
    same(found[1, 2], value(sums[1, 2]))
