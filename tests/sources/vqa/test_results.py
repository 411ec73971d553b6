"""Results in the official layouts, and joining them to the annotated questions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mmbench.core.errors import LoadError
from mmbench.sources.vqa.official import read_vqa
from mmbench.sources.vqa.questions import VqaQuestion
from mmbench.sources.vqa.results import (
    join_results,
    read_gqa_results,
    read_vizwiz_answerability,
    read_vizwiz_results,
    read_vqa_results,
)

QUESTIONS = tuple(VqaQuestion(name, "7", "", "", "", ("yes",)) for name in ("1", "2", "3"))


def written(folder: Path, content: Any) -> Path:
    path = folder / "results.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_official_layouts(tmp_path: Path) -> None:
    vqa = written(tmp_path, [{"question_id": 1, "answer": "yes", "image_id": 3}, {"question_id": "2", "answer": ""}])
    assert read_vqa_results(vqa) == {"1": "yes", "2": ""}
    vizwiz = written(tmp_path, [{"image": "a.jpg", "answer": "unanswerable", "answerable": 0.25}])
    assert read_vizwiz_results(vizwiz) == {"a.jpg": "unanswerable"}
    assert read_vizwiz_answerability(vizwiz) == {"a.jpg": 0.25}
    assert read_gqa_results(written(tmp_path, [{"questionId": "02", "prediction": "no"}])) == {"02": "no"}


MALFORMED = {
    "an object": (read_vqa_results, {"1": "yes"}, "must hold a list"),
    "no answer": (read_vqa_results, [{"question_id": 4}], "with question_id 4 .* has no 'answer', expected a text"),
    "a number": (read_vqa_results, [{"question_id": 4, "answer": 2}], "has 2 as 'answer', expected a text"),
    "no id": (read_gqa_results, [{"prediction": "no"}], "has no 'questionId'"),
    "twice": (read_vqa_results, [{"question_id": 4, "answer": ""}, {"question_id": "4", "answer": ""}], "'4' twice"),
    "no confidence": (read_vizwiz_answerability, [{"image": "a.jpg", "answerable": "yes"}], "expected a number"),
}


@pytest.mark.parametrize(("read", "content", "message"), MALFORMED.values(), ids=MALFORMED)
def test_malformed_results_are_explained(tmp_path: Path, read, content: Any, message: str) -> None:
    with pytest.raises(LoadError, match=message) as caught:
        read(written(tmp_path, content))
    assert "results.json" in str(caught.value)


def test_join_follows_the_annotations_and_says_what_is_missing() -> None:
    joined = join_results(QUESTIONS, {"3": "no", "1": "yes"}, "r.json")
    assert [question.id for question in joined.questions] == ["1", "3"]
    assert joined.answers == ("yes", "no")
    assert joined.missing == ("2",)
    assert join_results(QUESTIONS, {}, "r.json").missing == ("1", "2", "3")


def test_join_refuses_unknown_ids() -> None:
    with pytest.raises(LoadError, match=r"The results 'r\.json' hold question '9' and 1 more, which the annotations"):
        join_results(QUESTIONS, {"1": "yes", "9": "no", "8": "no"}, "r.json")
    with pytest.raises(LoadError, match="hold question '9', which"):
        join_results(QUESTIONS, {"9": "no"}, "r.json")


@pytest.mark.parametrize("who", ["qtypeprior", "prefix4prior", "human1"])
def test_real_results_answer_all_questions(data_root, who: str) -> None:
    folder = data_root("vqa_v2")
    questions = read_vqa(folder / "Annotations" / "v2_mscoco_train2014_minival_annotations.json")
    path = folder / "Results" / f"v2_OpenEnded_mscoco_train2014_minival_{who}_results.json"
    joined = join_results(questions, read_vqa_results(path), path.name)
    assert joined.questions == questions
    assert joined.missing == ()
