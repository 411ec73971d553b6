"""Answer normalisation: the quirks of the official rule by example, its outputs, and a literal transcription."""

from __future__ import annotations

import json
import runpy
import time
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mmbench.core.errors import SampleError
from mmbench.text.vqa_contractions import CONTRACTIONS
from mmbench.text.vqa_normalize import normalize_textvqa_answer, normalize_vqa_answer, trim_answer

LITERAL = runpy.run_path(str(Path(__file__).with_name("literal_vqa.py")))

# Pieces whose neighbourhood decides what the rule does, among any text at all.
PIECES = st.sampled_from(
    [*";/[]\"{}()=+\\_-><@`,?!.'", " ", "\n", "\t", "\xa0", "1", "\u0663", "the", "A", "none", "Ten", "dont", "'s", "x"]
)
TEXTS = st.one_of(st.lists(PIECES, max_size=30).map("".join), st.text(st.characters(), max_size=40))

OFFICIAL = {
    "Yes": "yes",
    " the\tcat\nand a dog ": "cat and dog",
    "none": "0",
    "Ten": "10",
    "eleven": "eleven",
    # A mark inside a word is a space, but beside a space anywhere in the text all of its kind go.
    "t-shirt": "t shirt",
    "t-shirt -": "tshirt",
    "a/b": "b",
    # A comma between digits makes every mark go, wherever it stands.
    "1,000": "1000",
    "1,000 in t-shirts": "1000 in tshirts",
    "red,blue": "red blue",
    # Digits of any script count.
    "\u0661,\u0662 t-shirts": "\u0661\u0662 tshirts",
    "v.\u0661": "v.\u0661",
    # Only a digit after it keeps a period; there is no look-behind.
    "3.5": "3.5",
    "3.": "3",
    ".5": ".5",
    "u.s.": "us",
    # Apostrophes and colons are no marks.
    "10:30": "10:30",
    "man's": "man's",
    # Contractions, slips of the table included.
    "dont": "don't",
    "Couldn'tve": "couldn't've",
    "im": "im",
    "Ive": "ive",
    "somebody'd": "somebodyd",
    "ow's'at": "'ow's'at",
    "dont.": "don't",
    "": "",
    "a": "",
}


@pytest.mark.parametrize(("text", "expected"), OFFICIAL.items())
def test_official_rule_by_example(text: str, expected: str) -> None:
    assert normalize_vqa_answer(text) == expected


def test_the_flag_given_as_count_lets_32_periods_go() -> None:
    assert normalize_vqa_answer("." * 32 + "x") == "x"
    assert normalize_vqa_answer("." * 33 + "x") == ".x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What's up?", "what 's up"),
        ("whats", "what's"),
        ("1,000", "1000"),
        # No comma is left when the marks are looked at, so the hyphen is a space here; the official rule deletes it.
        ("1,000 t-shirts", "1000 t shirts"),
        ("red,blue", "redblue"),
        ("The Two", "2"),
        ("v.1.", "v.1"),
    ],
)
def test_textvqa_rule_by_example(text: str, expected: str) -> None:
    assert normalize_textvqa_answer(text) == expected


def test_contractions_are_lower_case_words_that_change() -> None:
    """An entry that no word can reach, or that changes nothing, would be dead."""
    assert all(word == word.lower().strip() and word != form for word, form in CONTRACTIONS.items())
    assert {word.replace("'", "") for word in CONTRACTIONS} == {form.replace("'", "") for form in CONTRACTIONS.values()}


def test_parity_with_the_official_script(parity) -> None:
    """Every answer and prediction of the parity file normalises to what the official script gave."""
    lines = parity("vqa_accuracy.jsonl").read_text(encoding="utf-8").splitlines()
    for record in map(json.loads, lines):
        texts = [record["prediction"], *record["answers"]]
        assert list(map(normalize_vqa_answer, texts)) == [
            record["normalized_prediction"],
            *record["normalized_answers"],
        ]
    assert len(lines) == 3200


@settings(deadline=None)
@given(TEXTS)
@example("." * 40)
@example("1,1 ?")
def test_agrees_with_the_literal_rule(text: str) -> None:
    """Any text at all, lone surrogates included: no crash, and the same as the rule step by step."""
    assert normalize_vqa_answer(text) == LITERAL["normalize"](text)
    assert normalize_textvqa_answer(text) == LITERAL["normalize_textvqa"](text)


@settings(deadline=None)
@given(TEXTS)
def test_normal_form(text: str) -> None:
    """Single spaces, no outer space, no article as a word, no mark of the 21, no capital that has a small letter."""
    normal = normalize_vqa_answer(text)
    assert normal == " ".join(normal.split())
    assert not set(normal.split()) & {"a", "an", "the"}
    assert not set(normal) & set(LITERAL["MARKS"])
    assert normal == normal.lower()


HOSTILE = ["." * 8, "1," * 4, "- - - - ", "the the ", "'s?,!;/[]", "\u0663,\u0663.", "a\n\t ", "dont.dont "]


@pytest.mark.parametrize("piece", HOSTILE)
def test_time_is_linear_in_the_length(piece: str) -> None:
    """Sixteen times the text takes at most sixty times the time; were it quadratic, 256 times.

    The short one, too, is so long that each of its copies is mapped memory, which the first touch makes slower.
    """
    short = piece * (2**18 // len(piece))

    def cost(text: str) -> float:
        times = []
        for _ in range(5):
            start = time.process_time()
            normalize_vqa_answer(text)
            normalize_textvqa_answer(text)
            times.append(time.process_time() - start)
        return min(times)

    assert cost(short * 16) < 60 * max(cost(short), 1e-3)


@pytest.mark.parametrize("normalize", [trim_answer, normalize_vqa_answer, normalize_textvqa_answer])
@pytest.mark.parametrize("value", [None, 3, True, b"yes", ("yes",)])
def test_refuses_what_is_no_text(normalize, value) -> None:
    with pytest.raises(SampleError, match="expected a text"):
        normalize(value)
