"""The PTB tokenizer: equal to the official one on its own outputs, and laws that hold for any text."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mmbench.text import ptb
from mmbench.text.ptb import tokenize, tokenize_lines, tokenize_many
from mmbench.text.ptb_lexer import Lexer
from mmbench.text.ptb_tables import REMOVED

# What the rules are about; single letters and signs make the odd combinations.
# fmt: off
FRAGMENTS = [
    "a", "B", "n", "O", "x", "dog", "Dog", "it", "can", "not", "cannot", "gonna", "The", "A", "'s", "n't", "'ll",
    "'n", "90s", "1", "2", "10", "555", "1/2", ".", ",", "-", "--", "...", "!", "?", ":", ";", "'", '"', "``", "''",
    "(", ")", "[", "]", "<", ">", "/", '\\', "|", "@", "#", "$", "%", "&", "*", "+", "=", "_", "~", "^", "&amp;",
    "&lt;", "&quot;", "&eacute;", "’", "“", "”", "–", "…", "£", "€", "½", "é", "犬", "٣", "²", "★", "🐶", "Mr.",
    "St.", "no.", "ala.", "U.S.", "a.m.", "http://", "www.", ".com", ".jpg", "b='", "<a", "<!--", ":)", "(^_^)",
]
# fmt: on
TEXTS = st.lists(
    st.one_of(st.sampled_from(FRAGMENTS), st.sampled_from([" ", " ", "\t", "\xa0", "\xad", "\n"])), max_size=12
)
ANY_TEXT = st.one_of(st.text(), TEXTS.map("".join), TEXTS.map(" ".join))


def test_official_outputs(parity: Callable[[str], Path]) -> None:
    """Every recorded input of the Java tokenizer gives its tokens; where two were recorded, one of them."""
    lines = [json.loads(line) for line in parity("ptb_tokenizer.jsonl").read_text(encoding="utf-8").splitlines()]
    forms = [{" ".join(line["tokens"]), " ".join(line.get("tokens_in_batch", line["tokens"]))} for line in lines]
    found = tokenize_many([line["input"] for line in lines])
    assert len(lines) > 4000
    assert [(line["input"], f) for line, f, form in zip(lines, found, forms, strict=True) if f not in form] == []


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("A man's dog, isn't it?", "a man 's dog is n't it"),
        ("They gonna say: you cannot!", "they gon na say you can not"),
        ("'Tis the '90s, rock 'n' roll", "'t is the '90s rock 'n' roll"),
        ("He’s at O'Neil's", "he 's at o'neil 's"),
        ("(left) [right] {both}", "-lrb- left -rrb- -lsb- right -rsb- -lcb- both -rcb-"),
        ("a non-U.S plan, all-U.S made", "a non-u.s plan all-u s made"),
        ("Mr. Smith of St. Paul. Etc.", "mr. smith of st. paul etc."),
        ("the U.S. at 10:30am or 3 p.m.", "the u.s. at 10:30 am or 3 p.m."),
        ("no. 5 has no. fig", "no. 5 has no fig"),
        ("exit X. The way", "exit x the way"),
        ("exit X. Their way; X. way", "exit x their way x. way"),
        ("Mass. is big, a mass. is not", "mass. is big a mass is not"),
        ("1 1/2 or 1½ cups", "1\xa01/2 or 1 1/2 cups"),
        ("call (555) 555-1234 now", "call -lrb-555-rrb-\xa0555-1234 now"),
        ("for £5, €6, 7¢ or US$8", "for # 5 $ 6 7 cents or us$ 8"),
        ("50% off AT&T, R&B and salt&pepper", "50 % off at&t r&b and salt & pepper"),
        ("and/or 1/2 a well-known T-shirt -", "and/or 1/2 a well-known t-shirt"),
        ("see www.example.com or a.b@c.org.", "see www.example.com or a.b@c.org"),
        ('<a href="x y"> &lt;b&gt; &amp;', '<a\xa0href="x\xa0y"> < b > &'),
        ("so good!!! :-) (^_^) :(", "so good !!! :--rrb- -lrb-^_^-rrb- :-lrb-"),
        ("dog🐶cat ♥ caf\xadé", "dog cat ♥ café"),
        ("wait... what -- why — no", "wait what why no"),
        ("brown.on dog.Cat .5 v1.0", "brown.on dog.cat .5 v1 .0"),
        ("Ελλάς ΣΟΦΟΣ 犬が走る", "ελλάς σοφος 犬が走る"),
        (" \t. ", ""),
        ("", ""),
    ],
)
def test_examples(text: str, tokens: str) -> None:
    """One example of each family of rules, as the Java tokenizer has it."""
    assert tokenize(text) == tokens


@given(ANY_TEXT)
@example("\ud800@b \udfff")
@example("\x00\x01")
def test_any_text(text: str) -> None:
    """No text is refused; tokens are not empty, have no capital letter and are not in the removal list."""
    tokens = tokenize(text).split(" ") if tokenize(text) else []
    assert all(tokens)
    assert not REMOVED.intersection(tokens)
    assert not any("A" <= letter <= "Z" for token in tokens for letter in token)


@given(ANY_TEXT)
def test_pieces_and_whole(text: str) -> None:
    """What is remembered of pieces gives the same as reading the whole text."""
    whole = [token for token, _ in Lexer(text.translate(ptb._LINE_ENDS)).tokens()]
    assert tokenize(text) == " ".join(whole)


@given(st.lists(ANY_TEXT, max_size=5))
def test_lines(texts: list[str]) -> None:
    """In a file a line but the last differs from the same text alone by its last period at most."""
    alone, lines = tokenize_many([*texts, "end"]), tokenize_lines([*texts, "end"])
    assert [line.removesuffix(".") for line in lines] == [text.removesuffix(".") for text in alone]


@pytest.mark.parametrize(
    ("lines", "tokens"),
    [
        (["It is a.", "The dog"], ["it is a", "the dog"]),
        (["It is a.", "a dog"], ["it is a.", "a dog"]),
        (["It is a. ", "", " Mr. X"], ["it is a", "", "mr. x"]),
        (["It is a.", "The"], ["it is a.", "the"]),
        (["It is a.", "The", ""], ["it is a", "the", ""]),
        (["It is a.", "Then", "x"], ["it is a", "then", "x"]),
        (["It is a.", "<b> x"], ["it is a", "<b> x"]),
        (["It is no.", "5 x"], ["it is no.", "5 x"]),
        (["It is no.", "x"], ["it is no", "x"]),
        (["U.S.", "The"], ["u.s.", "the"]),
        (["It is a."], ["it is a."]),
        (["Smile :)", "Smile :)"], ["smile :-rrb-", "smile -rrb-"]),
    ],
)
def test_over_the_end_of_a_line(lines: list[str], tokens: list[str]) -> None:
    """The Java tokenizer looks at the next line after one letter and a period, or an abbreviation for numbers."""
    assert tokenize_lines(lines) == tokens


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_line_ends_are_spaces(end: str) -> None:
    """A line end inside a caption neither joins words nor starts another caption."""
    assert tokenize(f"A dog{end}sat.{end}") == "a dog sat"


def test_not_idempotent() -> None:
    """Tokens are no text: tokenized again they may change, as they do with the Java tokenizer."""
    assert tokenize(tokenize("dog.,")) == "dog" != tokenize("dog.,")


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The remembered pieces are few and short, and forgetting them changes nothing."""
    pieces = ptb._Pieces()
    monkeypatch.setattr(ptb, "_PIECES", pieces)
    monkeypatch.setattr(ptb, "_MANY", 3)
    texts = [f"word{i}'s {'x' * 100}" for i in range(10)]
    assert tokenize_many(texts) == [f"word{i} 's {'x' * 100}" for i in range(10)]
    assert len(pieces) <= 3
    assert max(map(len, pieces)) < 100


class _Counting(Lexer):
    """Counts the characters that failed matches have read."""

    read = 0

    def _note_failure(self, rule, position: int) -> None:
        super()._note_failure(rule, position)
        self.read += max(self._failed.get(rule, 0) - position, 0)


HOSTILE = [
    "a.+",
    "a.a ",
    "1,a,",
    "a@.",
    "x@",
    "www.+",
    "X. <!a",
    "<!a",
    "<a b='",
    "http://!",
    "1a.1a.",
    "&eacute;",
    "a&",
]


@pytest.mark.parametrize("seed", HOSTILE)
def test_linear(seed: str) -> None:
    """Failed matches that read far are not repeated from each character: their reading is linear in the text."""
    text = seed * (20_000 // len(seed))
    lexer = _Counting(text)
    assert sum(1 for _ in lexer.tokens()) >= 1
    assert lexer.read <= 12 * len(text)
