"""Answers of a result file: the suite says which of the official layouts it has."""

from __future__ import annotations

from typing import Any

import pytest

from mmbench.adapters.results.answers import read
from mmbench.core.errors import LoadError
from mmbench.core.prediction import Text

LAYOUTS: dict[str, tuple[dict[str, Any], list[dict[str, Any]], Text]] = {
    "vqa by default": ({}, [{"question_id": 71, "answer": "red"}], Text("71", "red")),
    "vqa": ({"format": "vqa"}, [{"question_id": "71", "answer": ""}], Text("71", "")),
    "textvqa": ({"format": "textvqa"}, [{"question_id": 71, "answer": "red"}], Text("71", "red")),
    "vizwiz": ({"format": "vizwiz"}, [{"image": "a.jpg", "answer": "red"}], Text("a.jpg", "red")),
    "gqa": ({"format": "gqa"}, [{"questionId": "071", "prediction": "yes"}], Text("071", "yes")),
    "answerability": (
        {"format": "vizwiz", "answerable": True},
        [{"image": "a.jpg", "answerable": 0.25}],
        Text("a.jpg", "", 0.25),
    ),
}


@pytest.mark.parametrize(("params", "content", "expected"), LAYOUTS.values(), ids=LAYOUTS)
def test_official_layouts(suite, samples, written, params, content, expected: Text) -> None:
    found = read(written(content), suite("vqa", **params), samples(expected.sample_id))
    assert found == {expected.sample_id: expected}


MALFORMED: dict[str, tuple[dict[str, Any], Any, str]] = {
    "another layout": ({"format": "gqa"}, [{"question_id": 71, "answer": "red"}], "has no 'questionId'"),
    "answers instead of confidences": (
        {"format": "vizwiz", "answerable": True},
        [{"image": "a.jpg", "answer": "red"}],
        r"with image 'a\.jpg' .* has no 'answerable', expected a number",
    ),
    "confidence true": (
        {"format": "vizwiz", "answerable": True},
        [{"image": "a.jpg", "answerable": True}],
        "expected a number",
    ),
    "an object": ({}, {"71": "red"}, "must hold a list"),
    "entry no object": ({}, [3], r"Entry 0 \(from 0\) .* is 3, expected an object"),
    "answer a number": ({}, [{"question_id": 71, "answer": 3}], "with question_id 71 .* has 3 as 'answer'"),
    "twice": ({}, [{"question_id": q, "answer": "a"} for q in (71, "71")], "hold question '71' twice"),
    "truncated": ({}, '[\n{"question_id": 71, "answer": "re', "not JSON at line 2, column 31"),
}


@pytest.mark.parametrize(("params", "content", "message"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_results_are_explained(suite, samples, written, params, content: Any, message: str) -> None:
    """One sentence with the file and the id, the key or the line."""
    with pytest.raises(LoadError, match=message) as caught:
        read(written(content), suite("vqa", **params), samples("71"))
    assert "results.json" in str(caught.value)
    assert "\n" not in str(caught.value)
