"""Official layouts of annotated questions: what is read, real files, and each malformed file in one sentence."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.core.errors import LoadError
from mmbench.metrics.vqa_accuracy import vqa_accuracy
from mmbench.sources.vqa.official import read_gqa, read_textvqa, read_vizwiz, read_vqa
from mmbench.sources.vqa.questions import VqaQuestion

TEN = ("red",) * 9 + ("blue",)
ANSWERS = [{"answer": text, "answer_confidence": "yes", "answer_id": i + 1} for i, text in enumerate(TEN)]


def written(folder: Path, content: Any, name: str = "file.json") -> Path:
    path = folder / name
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def annotation(question_id: Any = 7001, **changed: Any) -> dict[str, Any]:
    plain = {"question_id": question_id, "image_id": 7, "question_type": "what color", "answer_type": "other"}
    return plain | {"answers": ANSWERS, "multiple_choice_answer": "red"} | changed


def vizwiz(**changed: Any) -> dict[str, Any]:
    plain = {"image": "VizWiz_val_00000000.jpg", "question": "What is it?", "answer_type": "other", "answerable": 1}
    return plain | {"answers": ANSWERS} | changed


def gqa(**changed: Any) -> dict[str, Any]:
    plain = {"question": "Is it red?", "imageId": "n1", "answer": "yes", "isBalanced": True}
    return plain | {"types": {"structural": "verify", "semantic": "attr", "detailed": "x"}} | changed


def test_vqa_layout(tmp_path: Path) -> None:
    annotations = written(tmp_path, {"info": {}, "annotations": [annotation(), annotation("7002")]})
    asked = [{"image_id": 7, "question": f"Colour {n}?", "question_id": n} for n in (7002, 7001)]
    questions = written(tmp_path, {"questions": asked}, "questions.json")
    first, second = read_vqa(annotations, questions)
    assert first == VqaQuestion("7001", "7", "Colour 7001?", "what color", "other", TEN)
    assert (second.id, second.text) == ("7002", "Colour 7002?")
    assert [question.text for question in read_vqa(annotations)] == ["", ""]


def test_okvqa_takes_the_stemmed_answer(tmp_path: Path) -> None:
    """OK-VQA has the VQA layout and a raw answer beside the one that is scored."""
    answers = [
        {"answer_id": i, "raw_answer": "riding", "answer": "ride", "answer_confidence": "yes"} for i in range(10)
    ]
    path = written(tmp_path, {"annotations": [annotation(answers=answers)]})
    assert read_vqa(path)[0].answers == ("ride",) * 10


def test_textvqa_layout(tmp_path: Path) -> None:
    entry = {"question_id": 34602, "image_id": "b9dc", "question": "what?", "answers": list(TEN), "image_width": 1}
    path = written(tmp_path, {"dataset_name": "textvqa", "data": [entry]})
    assert read_textvqa(path) == (VqaQuestion("34602", "b9dc", "what?", "", "", TEN),)


def test_vizwiz_layout(tmp_path: Path) -> None:
    name = "VizWiz_val_00000000.jpg"
    path = written(tmp_path, [vizwiz(answerable=0)])
    assert read_vizwiz(path) == (VqaQuestion(name, name, "What is it?", "", "other", TEN, answerable=False),)


def test_gqa_layout(tmp_path: Path) -> None:
    """The balanced questions unless all are asked for; queries are open, all others binary."""
    query = gqa(types={"structural": "query"}, answer="a dog")
    path = written(tmp_path, {"02": gqa(), "05": query, "09": gqa(isBalanced=False)})
    first, second = read_gqa(path)
    assert first == VqaQuestion("02", "n1", "Is it red?", "verify", "binary", ("yes",))
    assert (second.id, second.answer_type, second.answers) == ("05", "open", ("a dog",))
    assert [question.id for question in read_gqa(path, balanced=False)] == ["02", "05", "09"]


def test_each_text_is_kept_once(tmp_path: Path) -> None:
    """Ten annotators of a million questions give few distinct answers; equal texts are one object."""
    path = written(tmp_path, {"annotations": [annotation(1), annotation(2)]})
    first, second = read_vqa(path)
    assert first.answers[0] is second.answers[8]


MALFORMED: dict[str, tuple[Callable[[Path], object], Any, str]] = {
    "no list": (read_vqa, {"questions": []}, "must hold an object with a list 'annotations', found {'questions'"),
    "a list alone": (read_vqa, [annotation()], "must hold an object with a list 'annotations'"),
    "no question": (read_vqa, {"annotations": []}, "holds no question"),
    "no object": (read_vqa, {"annotations": [annotation(), 3]}, r"Entry 1 .from 0. of .* is 3, expected an object"),
    "no id": (read_vqa, {"annotations": [{"image_id": 1}]}, "without an id .* has no 'question_id'"),
    "id null": (
        read_vqa,
        {"annotations": [annotation(None)]},
        "has None as 'question_id', expected a number or a text",
    ),
    "id true": (read_vqa, {"annotations": [annotation(True)]}, "has True as 'question_id'"),
    "id 1.5": (read_vqa, {"annotations": [annotation(1.5)]}, "has 1.5 as 'question_id'"),
    "id twice": (read_vqa, {"annotations": [annotation(7), annotation("7")]}, "holds question '7' 2 times"),
    "no answers": (
        read_vqa,
        {"annotations": [{"question_id": 7, "image_id": 1}]},
        "with question_id 7 .* has no 'answers'",
    ),
    "no answer": (read_vqa, {"annotations": [annotation(answers=[])]}, r"question_id 7001 .* has \[\] as 'answers'"),
    "answer null": (
        read_vqa,
        {"annotations": [annotation(answers=[{"answer": None}])]},
        "expected a list of texts, or",
    ),
    "answer a list": (
        read_vqa,
        {"annotations": [annotation(answers=[{"answer": []}])]},
        "expected a list of texts, or",
    ),
    "answers a text": (read_vqa, {"annotations": [annotation(answers="red")]}, "has 'red' as 'answers'"),
    "answers mixed": (read_vqa, {"annotations": [annotation(answers=["red", 3])]}, "expected a list of texts, or"),
    "type no text": (read_vqa, {"annotations": [annotation(answer_type=3)]}, "has 3 as 'answer_type', expected a text"),
    "textvqa, no data": (read_textvqa, {"annotations": []}, "a list 'data'"),
    "textvqa, test split": (
        read_textvqa,
        {"data": [{"question_id": 1, "image_id": "a", "question": "?"}]},
        "with question_id 1 .* has no 'answers'",
    ),
    "vizwiz, an object": (read_vizwiz, {"a": 1}, "must hold a list, found {'a': 1}"),
    "vizwiz, no label": (read_vizwiz, [{"image": "a.jpg"}], "with image 'a.jpg' .* has no 'answerable'"),
    "vizwiz, label true": (read_vizwiz, [vizwiz(answerable=True)], "has True as 'answerable', expected a number"),
    "vizwiz, label huge": (read_vizwiz, [vizwiz(answerable=10**400)], "as 'answerable', expected a number"),
    "vizwiz, label 2": (read_vizwiz, [vizwiz(answerable=2)], "has 2 as 'answerable', not 0 or 1"),
    "vizwiz, twice": (read_vizwiz, [vizwiz(), vizwiz()], "holds question 'VizWiz_val_00000000.jpg' 2 times"),
    "gqa, a list": (read_gqa, [gqa()], "The content of .* expected an object"),
    "gqa, no object": (read_gqa, {"02": 3}, "Question '02' of .* is 3, expected an object"),
    "gqa, no answer": (read_gqa, {"02": {"isBalanced": True, "imageId": "1", "question": "?"}}, "'02' .* no 'answer'"),
    "gqa, no balance": (read_gqa, {"02": {"answer": "yes"}}, "'02' .* has no 'isBalanced', expected true or false"),
}


@pytest.mark.parametrize(("read", "content", "message"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_files_are_explained(tmp_path: Path, read, content: Any, message: str) -> None:
    with pytest.raises(LoadError, match=message) as caught:
        read(written(tmp_path, content))
    assert "file.json" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_gqa_id_twice(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text('{"02": {}, "02": {}}', encoding="utf-8")
    with pytest.raises(LoadError, match="the key '02' twice"):
        read_gqa(path)


def test_two_files_must_hold_the_same_questions(tmp_path: Path) -> None:
    annotations = written(tmp_path, {"annotations": [annotation(1), annotation(2)]})
    fewer = written(tmp_path, {"questions": [{"question_id": 1, "question": "?"}]}, "fewer.json")
    with pytest.raises(LoadError, match=r"Question '2' is in .*file\.json' but not in .*fewer\.json'"):
        read_vqa(annotations, fewer)
    more = written(tmp_path, {"questions": [{"question_id": n, "question": "?"} for n in (3, 1, 2)]}, "more.json")
    with pytest.raises(LoadError, match=r"Question '3' is in .*more\.json' but not in .*file\.json'"):
        read_vqa(annotations, more)
    twice = written(tmp_path, {"questions": [{"question_id": 1, "question": "?"}] * 2}, "twice.json")
    with pytest.raises(LoadError, match="holds question '1' twice"):
        read_vqa(annotations, twice)


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from([*annotation()]), inner)),
    max_leaves=8,
)


@settings(deadline=None)
@given(JSON, st.sampled_from([*annotation()]))
def test_any_value_anywhere_gives_questions_or_a_load_error(tmp_path_factory, value: Any, key: str) -> None:
    folder = tmp_path_factory.getbasetemp()
    for content in (
        value,
        {"annotations": value},
        {"annotations": [value]},
        {"annotations": [annotation() | {key: value}]},
    ):
        try:
            questions = read_vqa(written(folder, content))
        except LoadError:
            continue
        assert all(isinstance(answer, str) for question in questions for answer in question.answers)


def test_real_vqa_files(data_root) -> None:
    """The counts of the minival part, and the official figures from files to numbers."""
    folder, name = data_root("vqa_v2"), "mscoco_train2014_minival"
    questions = read_vqa(
        folder / "Annotations" / f"v2_{name}_annotations.json",
        folder / "Questions" / f"v2_OpenEnded_{name}_questions.json",
    )
    assert len(questions) == 8977
    assert len({question.image for question in questions}) == 8260
    assert Counter(question.answer_type for question in questions) == {"yes/no": 2947, "number": 2948, "other": 3082}
    assert all(question.text and question.question_type and len(question.answers) == 10 for question in questions)
    first = vqa_accuracy([question.answers[0] for question in questions], [question.answers for question in questions])
    assert round(100 * float(first.mean()), 4) == 87.2229


REAL = {
    "textvqa": (3733, "34603", "b9dc400eb20bad64", "what does the small white text spell?", "copenhagen"),
    "vizwiz": (3240, "2", "VizWiz_val_00000002.jpg", "What is the title of this book? ", "dog years"),
}


@pytest.mark.parametrize("name", REAL)
def test_real_files_in_the_vqa_layout(data_root, name: str) -> None:
    """Image ids are texts there, and VizWiz's answers have no ids."""
    folder = data_root(name)
    questions = read_vqa(folder / "val_annotations_vqa_format.json", folder / "val_questions_vqa_format.json")
    first = questions[0]
    assert (len(questions), first.id, first.image, first.text, first.answers[0]) == REAL[name]
    assert {len(question.answers) for question in questions} == {10}
