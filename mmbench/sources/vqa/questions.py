"""A question with its annotators' answers, whatever file it came from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from mmbench.core.errors import LoadError


@dataclass(frozen=True, slots=True)
class VqaQuestion:
    """One annotated question; ids are texts, numbers of the file in decimal.

    ``image`` groups the questions of an image. ``text``, ``question_type`` and ``answer_type`` are "" where the file
    has none. ``answers`` are the annotators' in the order of the file (one in GQA). ``answerable`` is VizWiz's label.
    """

    id: str
    image: str
    text: str
    question_type: str
    answer_type: str
    answers: tuple[str, ...]
    answerable: bool | None = None


def unique_questions(found: Iterable[VqaQuestion], shown: str) -> tuple[VqaQuestion, ...]:
    """The questions in their order; raises LoadError when there is none or an id occurs twice."""
    questions = tuple(found)
    if not questions:
        raise LoadError(f"The file {shown!r} holds no question.")
    if len({question.id for question in questions}) < len(questions):
        ((most, count),) = Counter(question.id for question in questions).most_common(1)
        raise LoadError(f"The file {shown!r} holds question {most!r} {count} times; ids must be unique.")
    return questions
