"""What a question about a scene is, and the bounds of its answers."""

from __future__ import annotations

from typing import NamedTuple

METRIC = "answer_accuracy"
TYPE = "type"


class Question(NamedTuple):
    """``kind`` is the question's type, ``asked`` a number that names what it asks: equal for equal wordings' sense."""

    kind: str
    asked: int
    text: str
    answer: str
