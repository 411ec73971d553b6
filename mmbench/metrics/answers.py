"""Metrics of answers to questions, as suites name them: each benchmark's own rule over one text per question."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mmbench.core.errors import SampleError
from mmbench.core.metric import Classless, Floats, TaskContext
from mmbench.core.prediction import Prediction, Text
from mmbench.core.registry import metric, statistic
from mmbench.core.table import Table
from mmbench.metrics.ratios import mean
from mmbench.metrics.vqa_accuracy import (
    ANNOTATORS,
    POINTS,
    Agreement,
    gqa_rows,
    textvqa_agreement,
    vizwiz_agreement,
    vqa_agreement,
)
from mmbench.metrics.vqa_answerability import (
    answerability_average_precision,
    answerability_rows,
)
from mmbench.metrics.vqa_answerability import answerability_f1 as f1_of_sums

Count = Callable[[Sequence[str], Sequence[Sequence[str]]], Agreement]


class _Answers(Classless):
    """Answers against those of annotators: a tuple of texts, or one text."""

    def check(self, target: Any, prediction: Prediction, context: TaskContext) -> None:  # noqa: ARG002
        """Raises SampleError unless the prediction is a text."""
        if not isinstance(prediction, Text):
            raise SampleError(f"The answer to {prediction.sample_id!r} is {prediction.kind}, expected a text.")


def _texts(predictions: Sequence[Prediction]) -> list[str]:
    return [prediction.text for prediction in predictions if isinstance(prediction, Text)]


def _several(targets: Sequence[Any]) -> list[tuple[str, ...]]:
    return [(target,) if isinstance(target, str) else target for target in targets]


def _points(count: Count, targets: Sequence[Any], predictions: Sequence[Prediction]) -> Table:
    """Whole points of 30 where all questions have ten annotators, so that resampled means are exact."""
    agreement = count(_texts(predictions), _several(targets))
    if (agreement.annotators == ANNOTATORS).all():
        return agreement.rows()
    points = POINTS * agreement.accuracy()
    return np.stack([points, np.full(len(points), float(POINTS))], axis=1)


@statistic("vqa_points", version=1)
class VqaPoints(_Answers):
    """Rows [n,2]: points of 30 by the official VQA rule, and 30."""

    def rows(self, targets: Sequence[Any], predictions: Sequence[Prediction], context: TaskContext) -> Table:  # noqa: ARG002
        """Targets are the annotators' answers."""
        return _points(vqa_agreement, targets, predictions)


@statistic("textvqa_points", version=1)
class TextVqaPoints(_Answers):
    """Rows [n,2]: points of 30 by the rule of TextVQA, and 30."""

    def rows(self, targets: Sequence[Any], predictions: Sequence[Prediction], context: TaskContext) -> Table:  # noqa: ARG002
        """Targets are the annotators' answers."""
        return _points(textvqa_agreement, targets, predictions)


@statistic("vizwiz_points", version=1)
class VizWizPoints(_Answers):
    """Rows [n,2]: points of 30 by the rule of VizWiz, and 30."""

    def rows(self, targets: Sequence[Any], predictions: Sequence[Prediction], context: TaskContext) -> Table:  # noqa: ARG002
        """Targets are the annotators' answers."""
        return _points(vizwiz_agreement, targets, predictions)


@statistic("exact_answers", version=1)
class ExactAnswers(_Answers):
    """Rows int64 [n,2]: whether the answer is the text of the target, and 1."""

    def rows(self, targets: Sequence[Any], predictions: Sequence[Prediction], context: TaskContext) -> Table:  # noqa: ARG002
        """Targets are texts, or tuples of one."""
        return gqa_rows(_texts(predictions), [target[0] for target in _several(targets)])


@statistic("answerability", version=1)
class Answerability(Classless):
    """Rows float64 [n,5]: those of the F1, then the label and the confidence that the average precision sorts by."""

    def check(self, target: Any, prediction: Prediction, context: TaskContext) -> None:  # noqa: ARG002
        """Raises SampleError unless the prediction has a finite confidence."""
        if (
            not isinstance(prediction, Text)
            or prediction.confidence is None
            or not math.isfinite(prediction.confidence)
        ):
            raise SampleError(
                f"The result for {prediction.sample_id!r} has no finite confidence that it can be answered."
            )

    def rows(self, targets: Sequence[Any], predictions: Sequence[Prediction], context: TaskContext) -> Table:  # noqa: ARG002
        """Targets are 1 (answerable) or 0."""
        confidences = [p.confidence for p in predictions if isinstance(p, Text) and p.confidence is not None]
        counts = answerability_rows(targets, confidences).astype(np.float64)
        return np.concatenate([counts, np.stack([np.array(targets, float), np.array(confidences)], axis=1)], axis=1)


@metric("vqa_accuracy", statistic="vqa_points", version=1, task="vqa")
def vqa_accuracy(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Accuracy of VQA v1 and v2 as vqaEval.py computes it; of OK-VQA too, whose files hold ten answers."""
    return mean(sums)


@metric("textvqa_accuracy", statistic="textvqa_points", version=1, task="vqa")
def textvqa_accuracy(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Accuracy of TextVQA: every answer processed as on its evaluation server (the processor of MMF)."""
    return mean(sums)


@metric("vizwiz_accuracy", statistic="vizwiz_points", version=1, task="vqa")
def vizwiz_accuracy(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Accuracy of VizWiz: the prediction is normalised, the annotators' answers are not."""
    return mean(sums)


@metric("answer_accuracy", statistic="exact_answers", version=1, task="vqa")
def answer_accuracy(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Share of answers that are the target, letter by letter (GQA)."""
    return mean(sums)


@metric("answerability_f1", statistic="answerability", version=1, task="vqa")
def answerability_f1(sums: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """F1 of "unanswerable" at confidence 0.5, as in the VizWiz challenge."""
    return f1_of_sums(sums[..., :3])


@metric("answerability_ap", statistic="answerability", version=1, task="vqa", kind="weighted")
def answerability_ap(table: Floats, weights: Floats, context: TaskContext) -> Floats:  # noqa: ARG001
    """Average precision of "unanswerable" by falling confidence, as in the VizWiz challenge."""
    return answerability_average_precision(table[:, 3].astype(int).tolist(), table[:, 4].tolist(), weights)
