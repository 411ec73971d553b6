"""torchmetrics as an independent reference, on data where its conventions are the same (its import is slow)."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest
from scipy.special import softmax

from mmbench.metrics import (
    calibration,
    classification,
    curves,
    multilabel,
    probability,
    ratios,
    regression,
    retrieval,
)

N, CLASSES = 400, 7


@pytest.fixture(scope="module")
def torch() -> ModuleType:
    return pytest.importorskip("torch")


@pytest.fixture(scope="module")
def peer() -> ModuleType:
    return pytest.importorskip("torchmetrics.functional")


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(11)


@pytest.fixture
def scores() -> np.ndarray:
    """Probabilities float64 [n,C]."""
    return softmax(2 * np.random.default_rng(1).normal(size=(N, CLASSES)), axis=1)


@pytest.fixture
def targets(random: np.random.Generator, scores: np.ndarray) -> np.ndarray:
    """Class numbers [n], right about half of the time."""
    return np.where(random.random(N) < 0.5, scores.argmax(axis=1), random.integers(0, CLASSES, N))


def close(found: object, expected: object) -> None:
    np.testing.assert_allclose(np.asarray(found, np.float64), np.asarray(expected, np.float64), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("average", ["macro", "micro", "weighted"])
@pytest.mark.parametrize("kind", ["precision", "recall", "f1"])
def test_one_label(torch, peer, scores, targets, kind: str, average: str) -> None:
    """Precision, recall and F1 under each mean, from the same scores."""
    predicted = classification.predicted_labels(scores)
    sums = classification.label_rows(predicted, targets, CLASSES).sum(axis=0).astype(np.float64)
    reference = getattr(peer, "f1_score" if kind == "f1" else kind)
    tensors = torch.from_numpy(scores), torch.from_numpy(targets)
    expected = reference(*tensors, task="multiclass", num_classes=CLASSES, average=average)
    close(getattr(classification, f"{average}_{kind}")(sums), expected)


def test_agreement_and_top_k(torch, peer, scores, targets) -> None:
    """Matthews' and Cohen's coefficients and top-k accuracy."""
    predicted = classification.predicted_labels(scores)
    sums = classification.label_rows(predicted, targets, CLASSES).sum(axis=0).astype(np.float64)
    tensors = torch.from_numpy(scores), torch.from_numpy(targets)
    options = {"task": "multiclass", "num_classes": CLASSES}
    close(classification.matthews_correlation(sums), peer.matthews_corrcoef(*tensors, **options))
    close(classification.cohens_kappa(sums), peer.cohen_kappa(*tensors, **options))
    for k in (1, 3):
        found = ratios.mean(classification.top_k_rows(scores, targets, k).sum(axis=0))
        close(found, peer.accuracy(*tensors, **options, average="micro", top_k=k))


def test_label_sets(torch, peer, random, scores) -> None:
    """Multi-label F1, subset accuracy and mean average precision."""
    sets = random.random(scores.shape) < scores
    predicted = multilabel.predicted_sets(scores, 0.3)
    sums = multilabel.label_set_rows(predicted, sets).sum(axis=0).astype(np.float64)
    tensors = torch.from_numpy(scores), torch.from_numpy(sets).long()
    options = {"task": "multilabel", "num_labels": CLASSES}
    for average in ("micro", "macro", "weighted"):
        expected = peer.f1_score(*tensors, **options, threshold=0.3, average=average)
        close(getattr(classification, f"{average}_f1")(sums), expected)
    subset = peer.classification.multilabel_exact_match(*tensors, num_labels=CLASSES, threshold=0.3)
    close(ratios.mean(multilabel.subset_rows(predicted, sets).sum(axis=0)), subset)
    rows = curves.multilabel_rows(scores, sets)
    close(curves.average_precision(rows)[0], peer.average_precision(*tensors, **options, average="macro"))
    close(curves.weighted_average_precision(rows)[0], peer.average_precision(*tensors, **options, average="weighted"))


def test_curves(torch, peer, scores, targets) -> None:
    """AUROC and average precision, one class against the rest."""
    tensors = torch.from_numpy(scores), torch.from_numpy(targets)
    rows = curves.one_vs_rest_rows(scores, targets)
    for average, area in (("macro", curves.auroc), ("weighted", curves.weighted_auroc)):
        close(area(rows)[0], peer.auroc(*tensors, task="multiclass", num_classes=CLASSES, average=average))
    expected = peer.average_precision(*tensors, task="multiclass", num_classes=CLASSES, average=None)
    close(curves.class_average_precision(rows)[0], expected)


def test_calibration(torch, peer, scores, targets) -> None:
    """ECE and MCE of the top label and of a binary probability, with no confidence on the edge of a bin."""
    tensors = torch.from_numpy(scores), torch.from_numpy(targets)
    sums = calibration.bin_rows(calibration.top_label(scores, targets)).sum(axis=0)
    options = {"task": "multiclass", "num_classes": CLASSES, "n_bins": 15}
    close(calibration.ece(sums), peer.calibration_error(*tensors, **options, norm="l1"))
    close(calibration.mce(sums), peer.calibration_error(*tensors, **options, norm="max"))
    binary = calibration.confidence_rows(scores[:, 0], targets == 0)
    expected = peer.calibration_error(tensors[0][:, 0].contiguous(), tensors[1] == 0, task="binary", n_bins=10)
    close(calibration.ece(calibration.bin_rows(binary, 10).sum(axis=0)), expected)


def test_cross_entropy(torch, random, targets) -> None:
    """The likelihood of logits is torch's cross entropy."""
    logits = 20 * random.normal(size=(N, CLASSES))
    expected = torch.nn.functional.cross_entropy(torch.from_numpy(logits), torch.from_numpy(targets))
    close(probability.nll(probability.nll_rows_of_logits(logits, targets).sum(axis=0)), expected)


def test_retrieval(torch, peer, random) -> None:
    """Hit rate, recall, reciprocal rank and nDCG, query by query, where each query has a relevant item."""
    similarity = random.normal(size=(30, 12))
    relevant = random.random((30, 12)) < 0.3
    relevant[:, 5] = True
    gains = relevant * random.integers(1, 4, relevant.shape)
    ranks = retrieval.first_ranks(similarity, relevant)
    found = {
        "retrieval_hit_rate": retrieval.rank_hit_rows(ranks, 4),
        "retrieval_recall": retrieval.recall_rows(similarity, relevant, 4),
        "retrieval_normalized_dcg": retrieval.ndcg_rows(similarity, gains, 4),
    }
    pairs = list(zip(torch.from_numpy(similarity), torch.from_numpy(relevant), torch.from_numpy(gains), strict=True))
    for name, rows in found.items():
        graded = name == "retrieval_normalized_dcg"
        close(rows[:, 0], [getattr(peer.retrieval, name)(s, g if graded else r, top_k=4) for s, r, g in pairs])
    expected = [peer.retrieval.retrieval_reciprocal_rank(s, r) for s, r, _ in pairs]
    close(retrieval.reciprocal_rank_rows(ranks)[:, 0], expected)


def test_regression(torch, peer, random) -> None:
    """Errors, R^2 and correlations; torchmetrics' concordance takes variances over n - 1."""
    y = random.normal(size=N) + 3
    x = y + random.normal(size=N) / 2
    tensors = torch.from_numpy(x), torch.from_numpy(y)
    pairs = regression.pair_rows(x, y)
    errors = regression.error_rows(pairs).sum(axis=0)
    moments = regression.moment_rows(pairs, regression.centres(pairs)).sum(axis=0)
    close(regression.mae(errors), peer.mean_absolute_error(*tensors))
    close(regression.rmse(errors), peer.mean_squared_error(*tensors, squared=False))
    close(regression.r_squared(moments), peer.r2_score(*tensors))
    close(regression.pearson(moments), peer.pearson_corrcoef(*tensors))
    close(regression.spearman(pairs)[0], peer.spearman_corrcoef(*tensors))
    shift = (x.mean() - y.mean()) ** 2
    spread = x.var() + y.var() + shift
    unbiased = regression.concordance(moments) * spread * N / ((spread - shift) * N + shift * (N - 1))
    close(unbiased, peer.concordance_corrcoef(*tensors))
