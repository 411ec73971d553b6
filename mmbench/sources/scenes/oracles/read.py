"""Reads a text: which words of the closed vocabulary it holds."""

from __future__ import annotations

from collections.abc import Sequence

from mmbench.sources.scenes import words
from mmbench.sources.scenes.regimes import BLANK
from mmbench.sources.scenes.scene import PRIMARY


def one_of(text: str, choices: Sequence[str]) -> int | None:
    """The index of the choice (a word or a phrase) that the text holds; the longest wins; None without any."""
    padded = f" {text} "
    found = [number for number, choice in enumerate(choices) if f" {choice} " in padded]
    return max(found, key=lambda number: len(choices[number])) if found else None


def cue(text: str) -> int:
    """The regime's cue of a report; raises ValueError when it names no place."""
    found = one_of(text, words.PLACES)
    if found is None:
        raise ValueError(f"no place in {text!r}")
    return found


def signature(text: str, signatures: int) -> int:
    """What a report shows; BLANK when its code is erased."""
    first, second = one_of(text, words.CODES), one_of(text, words.SECOND_CODES)
    if first is None or second is None:
        return BLANK
    return first if signatures <= PRIMARY else first + PRIMARY * second


def kind_of(question: str) -> str:
    """The type of a question by its key words."""
    held = set(question.split())
    if "many" in held:
        return "count"
    for key, kind in (("where", "place"), ("pattern", "pattern"), ("shape", "shape"), ("colour", "colour")):
        if key in held:
            return kind
    return "exists"
