"""The registered metrics of answers are the pure functions, and scikit-learn's for whether there is an answer."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from mmbench.core.errors import SampleError
from mmbench.core.metric import TaskContext
from mmbench.core.prediction import ClassScores, Text
from mmbench.core.table import Table
from mmbench.metrics import vqa_accuracy as pure
from mmbench.metrics.answers import Answerability, ExactAnswers, TextVqaPoints, VizWizPoints, VqaPoints
from mmbench.metrics.scoring import statistic_named

CONTEXT = TaskContext((), None)
# What the rules treat differently: articles, numbers, marks, contractions, unanimous annotators.
ANSWERS = ("Two", "the red", "dont", "Yes", "blue-green", "unanswerable", "red.")
TRUTHS = (
    ("2",) * 4 + ("two",) * 2 + ("3",) * 4,
    ("red",) * 2 + ("a red",) * 1 + ("blue",) * 7,
    ("don't",) * 9 + ("no",),
    ("yes",) * 10,
    ("blue green",) * 3 + ("blue-green",) * 2 + ("green",) * 5,
    ("unanswerable",) * 6 + ("cat",) * 4,
    ("red",) * 10,
)
PURE = {
    "vqa_accuracy": pure.vqa_accuracy,
    "textvqa_accuracy": pure.textvqa_accuracy,
    "vizwiz_accuracy": pure.vizwiz_accuracy,
}
COUNTS = [0, 2, 1, 3, 1, 0, 2]


def texts(answers=ANSWERS) -> list[Text]:
    return [Text(str(i), answer) for i, answer in enumerate(answers)]


@pytest.mark.parametrize("name", PURE)
def test_accuracies_are_those_of_the_pure_functions(scored, name: str) -> None:
    """The mean over the questions; a question that is drawn twice counts twice."""
    found = scored([name], TRUTHS, texts())
    each = PURE[name](ANSWERS, TRUTHS)
    assert 0 < each.mean() < 1
    assert found.values()[name][0] == pytest.approx(each.mean(), abs=1e-12)
    assert found.values([COUNTS])[name][0] == pytest.approx(np.repeat(each, COUNTS).mean(), abs=1e-12)
    assert found.values([COUNTS])[name][0] == pytest.approx(found.repeated(COUNTS)[name][0], abs=1e-12)


def test_the_rules_differ(scored) -> None:
    """Were one registered for another, these would not."""
    values = {float(scored([name], TRUTHS, texts()).values()[name][0]) for name in PURE}
    assert len(values) == len(PURE)


def test_ten_annotators_are_counted_in_whole_points(scored) -> None:
    """So that draws do not depend on the order of sums; another number of annotators has fractions of 30."""
    ten = scored(["vqa_accuracy"], TRUTHS, texts()).tables["vqa_points"]
    assert ten.dtype == np.int64
    assert (ten[:, 1] == 30).all()
    truths = (TRUTHS[0][:3], *TRUTHS[1:])
    some = scored(["vqa_accuracy"], truths, texts())
    assert some.tables["vqa_points"].dtype == np.float64
    expected = pure.vqa_accuracy(ANSWERS, truths).mean()
    assert some.values()["vqa_accuracy"][0] == pytest.approx(expected, abs=1e-12)


def test_exact_answers_letter_by_letter(scored) -> None:
    """Targets are texts or tuples of one."""
    found = scored(["answer_accuracy"], ["Two", ("red",), "dont", ("yes",)], texts(("Two", "red", "don't", "Yes")))
    assert found.values()["answer_accuracy"].tolist() == [0.5]
    assert found.values([[3, 0, 1, 0], [0, 0, 1, 1]])["answer_accuracy"].tolist() == [0.75, 0]


@pytest.mark.parametrize("statistic", [VqaPoints, TextVqaPoints, VizWizPoints, ExactAnswers])
def test_only_texts_are_answers(statistic) -> None:
    statistic().check(("yes",), Text("7", ""), CONTEXT)
    with pytest.raises(SampleError, match="answer to '7' is scores, expected a text"):
        statistic().check(("yes",), ClassScores("7", np.zeros(2, np.float32)), CONTEXT)


LABELS = [1, 0, 1, 0, 0, 1, 1, 0]
CONFIDENCES = [0.9, 0.2, 0.4, 0.75, 0.4, 0.5, 1.0, 0.0]
TIMES = [1, 2, 0, 1, 3, 1, 1, 0]


def unsure(confidences=CONFIDENCES) -> list[Text]:
    return [Text(str(i), "", confidence) for i, confidence in enumerate(confidences)]


def test_answerability_is_that_of_scikit_learn(scored) -> None:
    """Positive is what cannot be answered; under weights scikit-learn sees repeated samples."""
    found = scored(["answerability_ap", "answerability_f1"], LABELS, unsure())
    for counts in ([1] * 8, TIMES):
        positive = 1 - np.repeat(LABELS, counts)
        scores = 1 - np.repeat(CONFIDENCES, counts)
        values = found.values([counts])
        assert values["answerability_ap"][0] == pytest.approx(average_precision_score(positive, scores), abs=1e-12)
        assert values["answerability_f1"][0] == pytest.approx(f1_score(positive, scores > 0.5), abs=1e-12)


@pytest.mark.parametrize("confidence", [None, math.nan, math.inf])
def test_a_result_without_confidence_cannot_be_scored(confidence: float | None) -> None:
    """It is a failed sample, and no failure of the whole file."""
    with pytest.raises(SampleError, match="'7' has no finite confidence"):
        Answerability().check(1, Text("7", "", confidence), CONTEXT)
    with pytest.raises(SampleError, match="'7' has no finite confidence"):
        Answerability().check(1, ClassScores("7", np.zeros(2, np.float32)), CONTEXT)
    Answerability().check(1, Text("7", "", 0.0), CONTEXT)


@pytest.mark.parametrize("name", ["vqa_points", "textvqa_points", "vizwiz_points", "exact_answers", "answerability"])
def test_there_are_no_classes(name: str) -> None:
    empty: Table = np.zeros((0, 2), dtype=np.int64)
    assert statistic_named(name).support(empty, CONTEXT).shape == (0,)
    assert statistic_named(name).absent(empty, CONTEXT) == 0
