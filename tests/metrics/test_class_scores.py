"""The registered metrics of classification against scikit-learn, whole and in draws that it sees as repetitions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from scipy.special import softmax
from sklearn import metrics as sklearn

from mmbench.core.errors import SampleError
from mmbench.core.metric import TaskContext
from mmbench.core.prediction import ClassScores, Text
from mmbench.metrics.class_scores import ClassLabels, Likelihood
from mmbench.metrics.rows import Rows
from mmbench.metrics.scoring import estimates, statistic_named

CLASSES = tuple("abcdefg")
CONTEXT = TaskContext(CLASSES, None)
RANDOM = np.random.default_rng(5)
N = 90
TARGETS = RANDOM.permutation(np.arange(N) % len(CLASSES))
LOGITS = (RANDOM.normal(size=(N, 7)) + 1.5 * np.eye(7)[TARGETS]).astype(np.float32)
PROBABILITIES = softmax(LOGITS.astype(np.float64), axis=1)
Reference = Callable[[np.ndarray, np.ndarray], float]


def one_vs_rest(curve: Callable[..., float]) -> Reference:
    return lambda t, p: float(np.mean([curve(t == c, p[:, c]) for c in range(7)]))


def ece(targets: np.ndarray, table: np.ndarray) -> float:
    """Bin by bin: 15 of equal width, each with its upper end."""
    confidence, right = table.max(axis=1), table.argmax(axis=1) == targets
    gaps = []
    for low, high in zip(np.linspace(0, 1, 16)[:-1], np.linspace(0, 1, 16)[1:], strict=True):
        inside = (confidence > low) & (confidence <= high)
        gaps.append(abs(confidence[inside].sum() - right[inside].sum()))
    return sum(gaps) / len(targets)


def of_labels(function: Callable[..., float], **options: object) -> Reference:
    return lambda t, p: function(t, p.argmax(axis=1), **options)


REFERENCES: dict[str, Reference] = {
    "accuracy": of_labels(sklearn.accuracy_score),
    "balanced_accuracy": of_labels(sklearn.balanced_accuracy_score),
    "top5_accuracy": lambda t, p: sklearn.top_k_accuracy_score(t, p, k=5, labels=range(7)),
    "f1_macro": of_labels(sklearn.f1_score, average="macro"),
    "f1_weighted": of_labels(sklearn.f1_score, average="weighted"),
    "precision_macro": of_labels(sklearn.precision_score, average="macro"),
    "recall_macro": of_labels(sklearn.recall_score, average="macro"),
    "kappa": of_labels(sklearn.cohen_kappa_score),
    "class_f1": of_labels(sklearn.f1_score, average=None),
    "auroc": one_vs_rest(sklearn.roc_auc_score),
    "average_precision": one_vs_rest(sklearn.average_precision_score),
    "ece": ece,
    "brier": lambda t, p: float(((p - np.eye(7)[t]) ** 2).sum(axis=1).mean()),
    "nll": lambda t, p: sklearn.log_loss(t, p, labels=range(7)),
}


def predictions(table: np.ndarray) -> list[ClassScores]:
    return [ClassScores(str(i), row) for i, row in enumerate(table)]


@pytest.mark.parametrize("table", [LOGITS, PROBABILITIES], ids=["logits", "probabilities"])
@pytest.mark.parametrize("name", REFERENCES)
def test_values_are_those_of_scikit_learn(scored, name: str, table: np.ndarray) -> None:
    """Logits and their softmax have the same labels and the same probabilities.

    AUROC and average precision rank the samples by what was given; the others need probabilities or only labels.
    """
    found = scored([name], TARGETS, predictions(table), CLASSES)
    given = table.astype(np.float64) if name in {"auroc", "average_precision"} else PROBABILITIES
    counts = np.random.default_rng(1).integers(0, 3, N)
    assert found.values()[name][0] == pytest.approx(REFERENCES[name](TARGETS, given), abs=1e-9)
    drawn = REFERENCES[name](np.repeat(TARGETS, counts), np.repeat(given, counts, axis=0))
    assert found.values([counts])[name][0] == pytest.approx(drawn, abs=1e-9)
    assert found.repeated(counts)[name][0] == pytest.approx(drawn, abs=1e-9)


def test_five_of_fewer_classes(scored) -> None:
    """With five classes or fewer every target is among the five highest."""
    found = scored(["top5_accuracy"], [0, 1], predictions(np.eye(2, dtype=np.float32)[::-1]), "ab")
    assert found.values()["top5_accuracy"].tolist() == [1.0]


def test_equal_scores_are_the_first_class(scored) -> None:
    found = scored(["accuracy"], [0, 1], predictions(np.full((2, 3), 0.5, np.float32)), "abc")
    assert found.values()["accuracy"].tolist() == [0.5]


def test_support_and_absent_classes(scored) -> None:
    """Support counts targets; a class that is only predicted is not absent."""
    table = scored(["accuracy"], [0, 0, 2], predictions(np.eye(5, dtype=np.float32)[[0, 3, 2]]), "abcde")
    context = TaskContext(tuple("abcde"), None)
    rows = table.tables["class_labels"]
    assert ClassLabels().support(rows, context).tolist() == [2, 0, 1, 0, 0]
    assert ClassLabels().absent(rows, context) == 2
    for name in ("top5", "class_ranking", "confidence_bins", "brier", "likelihood"):
        assert statistic_named(name).support(rows, context).shape == (0,)
        assert statistic_named(name).absent(rows, context) == 0


@pytest.mark.parametrize(
    ("target", "prediction", "message"),
    [
        (0, Text("x", "a"), "'x' is text, expected scores"),
        (0, ClassScores("x", np.zeros(6, np.float32)), r"'x' has scores of shape \[6\], expected 7"),
        (0, ClassScores("x", np.zeros((1, 7), np.float32)), r"shape \[1, 7\]"),
        (0, ClassScores("x", np.full(7, np.nan, np.float32)), "finite"),
        (0, ClassScores("x", np.full(7, np.inf, np.float32)), "finite"),
        (7, ClassScores("x", np.zeros(7, np.float32)), "target of 'x' is 7, not a class"),
        (-1, ClassScores("x", np.zeros(7, np.float32)), "target of 'x' is -1, not a class"),
    ],
)
def test_what_cannot_be_scored(target: int, prediction, message: str) -> None:
    with pytest.raises(SampleError, match=message):
        ClassLabels().check(target, prediction, CONTEXT)
    ClassLabels().check(6, ClassScores("x", np.zeros(7, np.float32)), CONTEXT)


def test_a_ruled_out_target_has_no_finite_likelihood(scored) -> None:
    """The mean is infinite, which a record cannot hold: undefined, with the reason; draws without it have a value."""
    found = scored(["nll"], [1, 0], predictions(np.array([[1, 0], [0.5, 0.5]], np.float32)), "ab")
    assert found.values([[1, 1], [0, 1]])["nll"] == pytest.approx([np.inf, np.log(2)])
    ids = ("x", "y")
    rows = Rows(ids, ids, ({}, {}), found.tables)
    (estimate,) = estimates(rows, ["nll"], TaskContext(("a", "b"), None), draws=100)
    assert (estimate.value, estimate.low, estimate.reason) == (None, None, "the value is infinite")
    assert Likelihood().absent(found.tables["likelihood"], CONTEXT) == 0
