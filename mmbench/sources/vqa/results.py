"""A system's answers in the official layouts, and which questions they answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from mmbench.core.errors import LoadError
from mmbench.sources.json_file import collector_paused, read_json
from mmbench.sources.vqa.entries import Entry, EntryFile
from mmbench.sources.vqa.questions import VqaQuestion

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answered(Generic[T]):
    """The questions that results name, with their answers; both in the order of the annotations.

    ``missing`` are the ids of the annotated questions that the results do not name; whether these are left out, as
    some official scripts do, or make the results unfit, is for the caller to decide.
    """

    questions: tuple[VqaQuestion, ...]
    answers: tuple[T, ...]
    missing: tuple[str, ...]


def read_vqa_results(path: Path) -> dict[str, str]:
    """Answer by question id of VQA, OK-VQA and TextVQA results: a list of ``question_id`` and ``answer``.

    Other fields are not read. Raises LoadError on malformed JSON (line and column), a missing field, or an id that
    occurs twice.
    """
    return _read(path, "question_id", lambda file, entry: file.text(entry, "answer"))


def read_vizwiz_results(path: Path) -> dict[str, str]:
    """Answer by image of VizWiz results: a list of ``image`` and ``answer``; raises as ``read_vqa_results``."""
    return _read(path, "image", lambda file, entry: file.text(entry, "answer"))


def read_vizwiz_answerability(path: Path) -> dict[str, float]:
    """Confidence by image that the question can be answered: a list of ``image`` and ``answerable``.

    Raises as ``read_vqa_results``.
    """
    return _read(path, "image", lambda file, entry: file.number(entry, "answerable"))


def read_gqa_results(path: Path) -> dict[str, str]:
    """Answer by question id of GQA results: a list of ``questionId`` and ``prediction``; raises as the others."""
    return _read(path, "questionId", lambda file, entry: file.text(entry, "prediction"))


def join_results(questions: Sequence[VqaQuestion], results: Mapping[str, T], shown: str) -> Answered[T]:
    """Each result to its question; ``shown`` names the results in messages.

    Raises LoadError when the results hold an id that no question has.
    """
    answered = tuple(question for question in questions if question.id in results)
    if len(answered) < len(results):
        known = {question.id for question in questions}
        unknown = [question_id for question_id in results if question_id not in known]
        more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
        raise LoadError(f"The results {shown!r} hold question {unknown[0]!r}{more}, which the annotations do not.")
    return Answered(
        questions=answered,
        answers=tuple(results[question.id] for question in answered),
        missing=tuple(question.id for question in questions if question.id not in results),
    )


@collector_paused()
def _read(path: Path, key: str, value: Callable[[EntryFile, Entry], T]) -> dict[str, T]:
    file = EntryFile(str(path))
    found: dict[str, T] = {}
    for entry in file.entries(read_json(path), None):
        question_id = file.identity(entry, key)
        if question_id in found:
            raise LoadError(f"The results {file.shown!r} hold question {question_id!r} twice; ids must be unique.")
        found[question_id] = value(file, entry)
    return found
