"""Metrics of classification, as suites name them: each over one row of class scores per sample.

The scores are logits or probabilities: labels and rankings read either. ECE, Brier and NLL need probabilities and take
the softmax of all rows when one is none (it has a negative number or does not sum to 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import softmax

from mmbench.core.errors import SampleError
from mmbench.core.metric import Classless, Floats, Ints, TaskContext
from mmbench.core.prediction import ClassScores, Prediction
from mmbench.core.registry import metric, statistic
from mmbench.core.table import Table
from mmbench.metrics import calibration, classification, curves, probability
from mmbench.metrics.ratios import mean

_SUM_TOLERANCE = 1e-3


class _Scores:
    def check(self, target: Any, prediction: Prediction, context: TaskContext) -> None:
        """Raises SampleError unless there is one finite score per class and the target is a class."""
        if not isinstance(prediction, ClassScores):
            raise SampleError(f"The prediction of {prediction.sample_id!r} is {prediction.kind}, expected scores.")
        if prediction.scores.shape != (len(context.classes),) or not np.isfinite(prediction.scores).all():
            raise SampleError(
                f"The prediction of {prediction.sample_id!r} has scores of shape {list(prediction.scores.shape)}, "
                f"expected {len(context.classes)} finite ones."
            )
        if not 0 <= int(target) < len(context.classes):
            raise SampleError(f"The target of {prediction.sample_id!r} is {target}, not a class of the suite.")


def _table(predictions: Sequence[Prediction]) -> Floats:
    rows = [p.scores for p in predictions if isinstance(p, ClassScores)]
    return np.stack(rows).astype(np.float64)


def _labels(targets: Sequence[Any]) -> Ints:
    return np.array([int(target) for target in targets], dtype=np.int64)


def _probabilities(predictions: Sequence[Prediction]) -> Floats:
    table = _table(predictions)
    fit = (table >= 0).all(axis=1) & (np.abs(table.sum(axis=1) - 1) < _SUM_TOLERANCE)
    if fit.all():
        scaled: Floats = table / table.sum(axis=1, keepdims=True)
        return scaled
    found: Floats = softmax(table, axis=1)
    return found


@statistic("class_labels", version=1)
class ClassLabels(_Scores):
    """Rows int64 [n,3C]: right, predicted and target of each class, by the highest score (the first of equal ones)."""

    def rows(self, targets: Sequence[Any], predictions: Sequence[Prediction], context: TaskContext) -> Table:
        """Targets are class numbers."""
        predicted = classification.predicted_labels(_table(predictions))
        return classification.label_rows(predicted, _labels(targets), len(context.classes))

    def support(self, rows: Any, context: TaskContext) -> Ints:
        """int64 [C]: samples of each class."""
        found: Ints = rows[:, 2 * len(context.classes) :].sum(axis=0)
        return found

    def absent(self, rows: Any, context: TaskContext) -> int:
        """Classes that are neither a target nor predicted."""
        _, predicted, target = rows.sum(axis=0).reshape(3, len(context.classes))
        return int(np.count_nonzero(predicted + target == 0))


@statistic("top5", version=1)
class TopFive(_Scores, Classless):
    """Rows int64 [n,2]: whether the target is among the five highest scores, and 1."""

    def rows(self, targets: Sequence[Any], predictions: Sequence[Prediction], context: TaskContext) -> Table:
        """Targets are class numbers."""
        return classification.top_k_rows(_table(predictions), _labels(targets), min(5, len(context.classes)))


@statistic("class_ranking", version=1)
class ClassRanking(_Scores, Classless):
    """Rows float64 [n,2C]: the scores, then one-hot targets."""

    def rows(self, targets: Sequence[Any], predictions: Sequence[Prediction], context: TaskContext) -> Table:  # noqa: ARG002
        """Targets are class numbers."""
        return curves.one_vs_rest_rows(_table(predictions), _labels(targets))


@statistic("confidence_bins", version=1)
class ConfidenceBins(_Scores, Classless):
    """Rows float64 [n,45]: per bin of confidence its count, confidences and right answers."""

    def rows(self, targets: Sequence[Any], predictions: Sequence[Prediction], context: TaskContext) -> Table:  # noqa: ARG002
        """Targets are class numbers."""
        return calibration.bin_rows(calibration.top_label(_probabilities(predictions), _labels(targets)))


@statistic("brier", version=1)
class Brier(_Scores, Classless):
    """Rows float64 [n,2]: the Brier score of each sample, and 1."""

    def rows(self, targets: Sequence[Any], predictions: Sequence[Prediction], context: TaskContext) -> Table:  # noqa: ARG002
        """Targets are class numbers."""
        return probability.brier_rows(_probabilities(predictions), _labels(targets))


@statistic("likelihood", version=1)
class Likelihood(_Scores, Classless):
    """Rows float64 [n,3]: the negative log-likelihood of each sample as ``probability.nll`` reads it."""

    def rows(self, targets: Sequence[Any], predictions: Sequence[Prediction], context: TaskContext) -> Table:  # noqa: ARG002
        """Targets are class numbers."""
        return probability.nll_rows(_probabilities(predictions), _labels(targets))


@metric("accuracy", statistic="class_labels", version=1, task="classification")
def accuracy(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Share of samples whose highest score is the target's."""
    return classification.accuracy(sums)


@metric("top5_accuracy", statistic="top5", version=1, task="classification")
def top5_accuracy(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Share of samples whose target is among the five highest scores."""
    return mean(sums)


@metric("balanced_accuracy", statistic="class_labels", version=1, task="classification")
def balanced_accuracy(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Mean recall of the classes that occur."""
    return classification.balanced_accuracy(sums)


@metric("class_f1", statistic="class_labels", version=1, task="classification", per_class=True)
def class_f1(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """F1 of each class."""
    return classification.class_f1(sums)


@metric("f1_macro", statistic="class_labels", version=1, task="classification")
def f1_macro(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Mean F1 over the classes."""
    return classification.macro_f1(sums)


@metric("f1_weighted", statistic="class_labels", version=1, task="classification")
def f1_weighted(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Mean F1 over the classes, weighted by how often each is the target."""
    return classification.weighted_f1(sums)


@metric("precision_macro", statistic="class_labels", version=1, task="classification")
def precision_macro(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Mean precision over the classes."""
    return classification.macro_precision(sums)


@metric("recall_macro", statistic="class_labels", version=1, task="classification")
def recall_macro(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Mean recall over the classes."""
    return classification.macro_recall(sums)


@metric("kappa", statistic="class_labels", version=1, task="classification", low=-1.0)
def kappa(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Cohen's kappa: agreement beyond chance."""
    return classification.cohens_kappa(sums)


@metric("auroc", statistic="class_ranking", version=1, task="classification", kind="weighted")
def auroc(table: Floats, weights: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Area under the ROC curve, one class against the rest, mean over the classes."""
    return curves.auroc(table, weights)


@metric("average_precision", statistic="class_ranking", version=1, task="classification", kind="weighted")
def average_precision(table: Floats, weights: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Average precision, one class against the rest, mean over the classes (mAP)."""
    return curves.average_precision(table, weights)


@metric("ece", statistic="confidence_bins", version=1, task="classification", direction="lower")
def ece(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Expected calibration error of the top label, 15 bins of equal width (Guo et al., ICML 2017)."""
    return calibration.ece(sums)


@metric("brier", statistic="brier", version=1, task="classification", direction="lower", high=2.0)
def brier(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Brier score: mean over samples of the sum over classes of (p_c - y_c)^2."""
    return mean(sums)


@metric("nll", statistic="likelihood", version=1, task="classification", direction="lower", high=1e308)
def nll(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Mean negative log-likelihood, nats."""
    return probability.nll(sums)
