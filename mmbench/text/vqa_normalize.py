"""Answer normalisation of the VQA scorers: the official rule, and the one of TextVQA (EvalAI).

The official rule is that of ``vqaEval.py`` (GT-Vision-Lab/VQA), as it acts and not as its paper states it:

- Each of 21 marks is deleted everywhere in the answer if it touches a space somewhere, else every one becomes a space.
  A comma between digits anywhere makes all marks be deleted, not only that comma.
- A period goes unless a digit follows (``\\d``: of any script). The look-behind of the published expression is none
  (``(?!<=\\d)``), so ``3.`` loses its period; and a flag given as the count lets only the first 32 periods go.
- Then words: lower case, ``zero`` to ``ten`` as digits, ``none`` as 0, no articles, apostrophes in contractions.
"""

from __future__ import annotations

import re

from mmbench.core.errors import SampleError
from mmbench.text.vqa_contractions import CONTRACTIONS

MARKS = ';/[]"{}()=+\\_-><@`,?!'
ARTICLES = frozenset({"a", "an", "the"})
NUMBERS = {
    "none": "0",
    "zero": "0",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
    "ten": "10",
}

_ANY_MARK = re.compile(f"[{re.escape(MARKS)}]")
_COMMA_IN_NUMBER = re.compile(r"\d,\d")
_PERIOD = re.compile(r"\.(?!\d)")
# re.UNICODE, which the official code hands to re.sub where the count belongs.
_PERIODS_REMOVED = int(re.UNICODE)
# No digit is a contraction, so one look-up does both replacements of a word.
_WRITTEN = NUMBERS | CONTRACTIONS


def trim_answer(text: str) -> str:
    """``text`` with newlines and tabs as spaces, stripped: all that the official rule does to unanimous answers.

    Raises SampleError when it is not a text.
    """
    return _text(text).replace("\n", " ").replace("\t", " ").strip()


def normalize_vqa_answer(text: str) -> str:
    """The official VQA normalisation (see the module); raises SampleError when ``text`` is not a text."""
    return _write_words(_strip_punctuation(trim_answer(text)))


def normalize_textvqa_answer(text: str) -> str:
    """The normalisation of the TextVQA challenge (EvalAI; ``EvalAIAnswerProcessor`` of MMF).

    It differs from the official one in what comes first: lower case, commas and question marks are deleted, and
    ``'s`` is split off as a word. So a comma between digits never makes the other marks go, and ``what's`` becomes
    ``what 's``, which is not what ``whats`` becomes (``what's``). Raises SampleError when ``text`` is not a text.
    """
    lower = _text(text).lower().replace(",", "").replace("?", "").replace("'s", " 's")
    return _write_words(_strip_punctuation(trim_answer(lower)))


def _text(value: str) -> str:
    if isinstance(value, str):
        return value
    raise SampleError(f"An answer is {value!r}, expected a text; quote it in the file.")


def _strip_punctuation(text: str) -> str:
    stripped = text
    if _ANY_MARK.search(text):
        number = _COMMA_IN_NUMBER.search(text) is not None
        for mark in MARKS:
            # The question is always put to the text as it came, not to what is left of it.
            apart = number or f"{mark} " in text or f" {mark}" in text
            stripped = stripped.replace(mark, "" if apart else " ")
    return _PERIOD.sub("", stripped, count=_PERIODS_REMOVED) if "." in stripped else stripped


def _write_words(text: str) -> str:
    return " ".join([_WRITTEN.get(word, word) for word in text.lower().split() if word not in ARTICLES])
