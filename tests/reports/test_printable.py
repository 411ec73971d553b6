"""What came from data cannot talk to the terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.reports.printable import printable


@given(st.text(st.characters()))
def test_the_result_always_prints_and_can_be_encoded(text):
    assert printable(text).isprintable()
    printable(text).encode("utf-8")


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_ordinary_text_stays(text):
    assert printable(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred", r"\x1b[31mred"),
        ("two\nlines\r\t", r"two\nlines\r\t"),
        ("bell\a", r"bell\x07"),
        ("right\u202eleft", r"right\u202eleft"),
        ("\x9b31m", r"\x9b31m"),
        ("lone \ud800", r"lone \ud800"),
        ("modèle 模型", "modèle 模型"),
    ],
)
def test_examples(text, shown):
    assert printable(text) == shown
