"""VQA accuracies: the official script's outputs, the published layouts' real answers, and the laws of the rule."""

from __future__ import annotations

import json
import runpy
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.core.errors import SampleError
from mmbench.metrics.vqa_accuracy import (
    POINTS,
    gqa_accuracy,
    gqa_rows,
    okvqa_accuracy,
    textvqa_accuracy,
    textvqa_agreement,
    vizwiz_accuracy,
    vizwiz_agreement,
    vqa_accuracy,
    vqa_agreement,
)

LITERAL = runpy.run_path(str(Path(__file__).parents[1] / "text" / "literal_vqa.py"))
RULES = {
    "vqa": (vqa_accuracy, vqa_agreement),
    "textvqa": (textvqa_accuracy, textvqa_agreement),
    "vizwiz": (vizwiz_accuracy, vizwiz_agreement),
}

# Few distinct answers that often normalise to the same text, so that all numbers of matches occur.
ANSWERS = st.sampled_from(
    ["yes", "Yes", "yes.", " yes\n", "no", "none", "0", "the", "a", "", "2", "two", "dont", "1,0"]
)
TEN = st.lists(ANSWERS, min_size=10, max_size=10)
# One text by ten annotators, but for white space: the exception of the official rule.
UNANIMOUS = st.lists(st.sampled_from(["Yes", " Yes", "Yes\n", "\tYes"]), min_size=10, max_size=10)

VQA = "vqa_v2"
PART = "v2_mscoco_train2014_minival_annotations.json"


def one(accuracy, answer: str, given_answers: list[str]) -> float:
    return float(accuracy([answer], [given_answers])[0])


def annotations(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))["annotations"]


def texts(annotation: dict) -> list[str]:
    return [entry["answer"] for entry in annotation["answers"]]


@pytest.mark.parametrize(("matches", "expected"), [(0, 0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1), (10, 1)])
@pytest.mark.parametrize("rule", RULES)
def test_accuracy_of_each_number_of_matches(rule: str, matches: int, expected: float) -> None:
    """Leave-one-out over ten annotators, not min(m/3, 1); the row is the same number in thirtieths."""
    accuracy, agreement = RULES[rule]
    ten = ["no"] * matches + ["red"] * (10 - matches)
    assert one(accuracy, "no", ten) == expected
    assert agreement(["no"], [ten]).rows().tolist() == [[round(30 * expected), POINTS]]


def test_unanimous_answers_are_not_normalised() -> None:
    """The exception: "Yes" against ten "yes" is wrong in VQA, right where the rule has no exception."""
    ten = ["yes"] * 10
    assert one(vqa_accuracy, "Yes", ten) == 0
    assert one(vqa_accuracy, " yes\n", ten) == 1
    assert one(vqa_accuracy, "Yes", ["yes", "yes "] * 5) == 0
    assert one(vqa_accuracy, "Yes", ["yes"] * 9 + ["yes."]) == 1
    assert one(textvqa_accuracy, "Yes", ten) == 1
    assert one(vizwiz_accuracy, "Yes", ten) == 1


def test_vizwiz_leaves_the_annotators_as_they_are() -> None:
    assert one(vizwiz_accuracy, "Two", ["two"] * 5 + ["2"] * 5) == 1
    assert one(vizwiz_accuracy, "Two", ["two"] * 10) == 0


def test_okvqa_is_the_vqa_rule_on_doubled_answers() -> None:
    five = ["ride", "horse", "horse", "race", "run"]
    ten = [answer for answer in five for _ in range(2)]
    assert one(okvqa_accuracy, "ride", ten) == 0.6
    assert one(okvqa_accuracy, "Horse", ten) == 1
    assert one(okvqa_accuracy, "riding", ten) == 0


def test_gqa_is_letter_by_letter() -> None:
    assert gqa_accuracy(["yes", "Yes", "the dog"], ["yes", "yes", "dog"]).tolist() == [1, 0, 0]
    assert gqa_rows(["yes", "no"], ["yes", "yes"]).tolist() == [[1, 1], [0, 1]]


def test_other_numbers_of_annotators() -> None:
    """The rule holds for any number; rows of thirtieths are refused, not rounded."""
    agreement = vqa_agreement(["no"] * 3, [["no"], ["no", "red"], ["no", "no", "no", "red"]])
    assert agreement.accuracy() == pytest.approx([0, 1 / 6, 3 / 4])
    with pytest.raises(SampleError, match="has 1 annotators' answers, expected 10"):
        agreement.rows()


def test_wrong_input_is_explained() -> None:
    with pytest.raises(SampleError, match="no annotator's answer"):
        vqa_accuracy(["no", "no"], [["no"], []])
    with pytest.raises(SampleError, match="are the text 'no', expected a list"):
        vizwiz_accuracy(["no"], ["no"])
    with pytest.raises(SampleError, match="expected a text"):
        textvqa_accuracy([None], [["no"]])
    with pytest.raises(ValueError, match="longer"):
        vqa_accuracy(["no"], [["no"], ["no"]])
    assert vqa_accuracy([], []).shape == (0,)


@settings(deadline=None)
@given(ANSWERS, st.one_of(TEN, UNANIMOUS), st.randoms(use_true_random=False))
def test_order_of_the_annotators_does_not_matter(answer: str, ten: list[str], random) -> None:
    shuffled = random.sample(ten, 10)
    for accuracy, _ in RULES.values():
        assert one(accuracy, answer, ten) == one(accuracy, answer, shuffled)


@settings(deadline=None)
@given(st.lists(st.tuples(st.one_of(ANSWERS, st.just("Yes")), st.one_of(TEN, UNANIMOUS)), min_size=1, max_size=5))
def test_agrees_with_the_literal_rules(pairs: list[tuple[str, list[str]]]) -> None:
    """Each rule equals its description step by step, and the sums of its rows give the exact mean."""
    answers, truths = [answer for answer, _ in pairs], [ten for _, ten in pairs]
    for rule, (accuracy, agreement) in RULES.items():
        expected = [LITERAL[rule](answer, ten) for answer, ten in pairs]
        assert accuracy(answers, truths) == pytest.approx(expected, abs=1e-12)
        points, possible = agreement(answers, truths).rows().sum(axis=0)
        assert points / possible == pytest.approx(np.mean(expected), abs=1e-12)


def test_parity_with_the_official_script(parity) -> None:
    lines = parity("vqa_accuracy.jsonl").read_text(encoding="utf-8").splitlines()
    records = [json.loads(line) for line in lines]
    found = vqa_accuracy([r["prediction"] for r in records], [r["answers"] for r in records])
    np.testing.assert_allclose(found, [r["accuracy"] for r in records], rtol=0, atol=1e-12)
    assert len(records) == 3200


# Overall, yes/no, number and other, as the official script printed them for these files.
MINIVAL = {
    "qtypeprior": (32.9943, 63.9871, 27.1065, 8.9909),
    "prefix4prior": (34.1205, 62.2260, 27.6662, 13.4199),
    "human1": (87.2229, 96.9969, 87.3033, 77.8001),
}


@pytest.mark.parametrize("who", MINIVAL)
def test_minival_table(data_root, who: str) -> None:
    found = annotations(data_root(VQA) / "Annotations" / PART)
    path = data_root(VQA) / "Results" / f"v2_OpenEnded_mscoco_train2014_minival_{who}_results.json"
    results = {entry["question_id"]: entry["answer"] for entry in json.loads(path.read_text(encoding="utf-8"))}
    scores = vqa_accuracy([results[a["question_id"]] for a in found], [texts(a) for a in found])
    by_type = defaultdict(list)
    for annotation, score in zip(found, scores, strict=True):
        by_type[annotation["answer_type"]].append(score)
    table = [scores, by_type["yes/no"], by_type["number"], by_type["other"]]
    assert tuple(round(100 * float(np.mean(part)), 4) for part in table) == MINIVAL[who]


@pytest.mark.parametrize("rule", RULES)
def test_real_answers_score_as_the_literal_rules_say(data_root, rule: str) -> None:
    """The last annotator against all ten, on real files of each benchmark (which hold what nobody thinks of)."""
    path = (
        data_root(VQA) / "Annotations" / PART if rule == "vqa" else data_root(rule) / "val_annotations_vqa_format.json"
    )
    truths = [texts(annotation) for annotation in annotations(path)]
    answers = [ten[-1] for ten in truths]
    expected = [LITERAL[rule](answer, ten) for answer, ten in zip(answers, truths, strict=True)]
    np.testing.assert_allclose(RULES[rule][0](answers, truths), expected, rtol=0, atol=1e-12)
    assert 0.5 < np.mean(expected) < 1
