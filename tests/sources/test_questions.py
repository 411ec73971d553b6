"""Questions as samples: each official layout, the picture's place, slices, and what is scored without its texts."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from mmbench.core.errors import LoadError, UsageError
from mmbench.sources.annotated import AnnotatedSource

Open = Callable[..., AnnotatedSource]
TEN = ("red",) * 9 + ("blue",)
ANSWERS = [{"answer": text} for text in TEN]
VQA = {
    "annotations": [
        {"question_id": 71, "image_id": 7, "question_type": "how", "answer_type": "number", "answers": ANSWERS},
        {"question_id": 72, "image_id": 7, "question_type": "what", "answer_type": "", "answers": ANSWERS},
    ]
}
ASKED = {"questions": [{"question_id": 72, "question": "What?"}, {"question_id": 71, "question": "How?"}]}
TEXTVQA = {"data": [{"question_id": 1, "image_id": "ab", "question": "Which?", "answers": list(TEN)}]}
VIZWIZ = [
    {"image": "v1.png", "question": "Is it?", "answer_type": "other", "answerable": 1, "answers": ANSWERS},
    {"image": "v2.png", "question": "Huh?", "answer_type": "unanswerable", "answerable": 0, "answers": ANSWERS},
]
GQA = {
    "02": {"question": "Red?", "imageId": "n1", "answer": "yes", "isBalanced": True, "types": {"structural": "verify"}},
    "03": {"question": "Who?", "imageId": "n1", "answer": "man", "isBalanced": False, "types": {"structural": "query"}},
}


@pytest.fixture
def opened(data, open_annotated: Open) -> Open:
    """Writes the annotations and opens them with these parameters of the source."""

    def build(content: Any, parameters: dict[str, str] | None = None, **params: Any) -> AnnotatedSource:
        data.text("a.json", json.dumps(content))
        return open_annotated("vqa", "vqa", {"annotations": "a.json", **params}, parameters)

    return build


def test_vqa_layout(opened: Open, data) -> None:
    """The image is the group, its id is filled up with zeros; the type of the answer is a slice where it is known."""
    data.text("q.json", json.dumps(ASKED))
    data.rgb("test/COCO_000007.png")
    source = opened(VQA, questions="q.json", image="{split}/COCO_{image:0>6}.png")
    assert source.ids == ("71", "72")
    sample = source.load("71")
    assert (sample.inputs["text"], sample.target, sample.group) == ("How?", TEN, "7")
    assert (sample.tags, source.without_inputs("72").tags) == ({"answer_type": "number"}, {})
    assert sample.inputs["image"].shape == (6, 8, 3)


@pytest.mark.parametrize("questions", [None, "q.json"])
def test_results_are_scored_without_the_questions(opened: Open, questions: str | None) -> None:
    """An absent file of questions leaves a sample without text, never with an empty question."""
    source = opened(VQA, **({} if questions is None else {"questions": questions}))
    assert source.without_inputs("72").target == TEN
    assert set(source.modalities) == {"image"}


def test_questions_of_another_split_are_refused(opened: Open, data) -> None:
    data.text("q.json", json.dumps({"questions": ASKED["questions"][:1]}))
    with pytest.raises(LoadError, match=r"Question '71' is in .*a\.json.* but not in .*q\.json"):
        opened(VQA, questions="q.json")


def test_slices_are_chosen(opened: Open) -> None:
    both = opened(VQA, slices=["answer_type", "question_type"])
    assert both.without_inputs("71").tags == {"answer_type": "number", "question_type": "how"}
    assert opened(VQA, slices=[]).without_inputs("71").tags == {}


def test_textvqa_layout(opened: Open) -> None:
    source = opened(TEXTVQA, format="textvqa", image="train_images/{image}.png", slices=[])
    assert source.without_inputs("1").target == TEN
    assert (source.items[0].image, source.items[0].text) == ("train_images/ab.png", "Which?")


def test_vizwiz_layouts(opened: Open) -> None:
    """The same file asks for answers, or whether there is one; parameters are filled into the picture's place."""
    answers = opened(VIZWIZ, {"set": "val"}, format="vizwiz", image="{set}/{image}")
    assert answers.ids == ("v1.png", "v2.png")
    assert answers.without_inputs("v2.png").target == TEN
    assert answers.without_inputs("v2.png").tags == {"answer_type": "unanswerable"}
    assert answers.items[0].image == "val/v1.png"
    labels = opened(VIZWIZ, format="vizwiz", answerable=True)
    assert [labels.without_inputs(name).target for name in labels.ids] == [1, 0]


def test_gqa_layout(opened: Open) -> None:
    """The balanced questions only, with one answer."""
    source = opened(GQA, format="gqa", slices=["answer_type", "question_type"])
    assert source.ids == ("02",)
    assert source.without_inputs("02").target == ("yes",)
    assert source.without_inputs("02").tags == {"answer_type": "binary", "question_type": "verify"}


MALFORMED: dict[str, tuple[Any, dict[str, Any], str]] = {
    "another layout": (VIZWIZ, {}, "must hold an object with a list 'annotations'"),
    "no question": ({"annotations": []}, {}, "holds no question"),
    "question twice": ({"annotations": VQA["annotations"] * 2}, {}, "question '71' 2 times"),
    "no answerable": (VQA, {"answerable": True}, "Question '71' .* has no 'answerable'"),
}


@pytest.mark.parametrize(("content", "params", "message"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_annotations_are_explained(opened: Open, content: Any, params: dict[str, Any], message: str) -> None:
    """In one sentence with the file; the readers' own tests have the rest."""
    with pytest.raises(LoadError, match=message) as caught:
        opened(content, **params)
    assert "a.json" in str(caught.value)


@pytest.mark.parametrize("params", [{"image": "{year}/{image}.png"}, {"format": "okvqa"}, {"slices": ["colour"]}])
def test_wrong_parameters(opened: Open, params: dict[str, Any]) -> None:
    """A suite file with a mistake: the sentence names the suite and the value."""
    with pytest.raises(UsageError, match=r"Suite 'toy', source\.params"):
        opened(VQA, **params)
