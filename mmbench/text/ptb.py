"""The tokenizer of the COCO caption scores, without Java.

Its output is that of ``edu.stanford.nlp.process.PTBTokenizer -preserveLines -lowerCase`` (CoreNLP 3.4.1) without the
punctuation that coco-caption (Chen et al. 2015) removes. Some of its ways may surprise: brackets stay, as ``-lrb-``; so
does a run of marks such as ``!!``; emoji vanish; ``1 1/2`` and ``<a href="x">`` are one token, with U+00A0 inside,
which ``str.split()`` cuts and ``split(" ")`` does not.

Line ends inside a text are spaces; the Java tokenizer takes some of them (not the line feed) for a new caption and so
shifts all that follow. A capital sigma beside digits or signs in one token may become the other of its two small
letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import islice

from mmbench.text import ptb_tables as tables
from mmbench.text.ptb_lexer import Lexer
from mmbench.text.ptb_rules import SPACE, either

# Pieces that are remembered, and the length of the longest of them: together some 10 MB.
_MANY = 1 << 16
_LONG = 40
_LINE_ENDS = str.maketrans(dict.fromkeys("\n\r\x0b\x0c\x85\u2028\u2029", " "))
_NUMBERED = frozenset(tables.NUMBERED.split())
_ABBREVIATED = _NUMBERED.union(f"{tables.TITLES} {tables.SHORTENED}".replace("_", "").lower().split())
_SPLIT = frozenset(["cannot", "gonna", "gotta", "lemme", "gimme", "wanna"])
_PLAIN = re.compile(r"([A-Za-z]+)([.,]?)")
_AREA_CODE = re.compile(r"\([0-9]{2,3}\)$")
_UNDECIDED = re.compile(rf"(?<![A-Za-z])(?:[A-Za-z]|{either(tables.NUMBERED)})\.[{SPACE}\n]*\Z")
# Of a piece whose tokens depend on the next one; no token holds it.
_OPEN = "\0"


def tokenize(text: str) -> str:
    """The tokens of a caption, lower-cased, joined by single spaces; "" when there is none. Time linear in its length.

    The result is meant for scoring, it is not a text to tokenize again: ``-lrb-`` would stay one token, ``a.`` may not.
    """
    known = [_PIECES[piece] for piece in text.split(" ")]
    if _OPEN in known or ". ." in text:
        return _in_context(text)
    return "".join(known)[:-1]


def tokenize_many(texts: Iterable[str]) -> list[str]:
    """``tokenize`` of each text, in their order."""
    return [tokenize(text) for text in texts]


def tokenize_lines(texts: Sequence[str]) -> list[str]:
    """Tokens of texts that are the lines of one file, as the official scorers tokenize all captions at once.

    This is ``tokenize_many`` but for texts that end in one letter and a period, which the Java tokenizer drops when the
    next line begins with a word such as "The", or in an abbreviation such as "no.", which keeps it before a number; and
    but for the last, after which it misses the line end: a smiley there is taken apart.
    """
    found = tokenize_many(texts)
    for place, text in enumerate(texts):
        undecided = text.rstrip().endswith(".") and _UNDECIDED.search(text)
        if undecided or place == len(texts) - 1:
            lexer = Lexer(text.translate(_LINE_ENDS), _next_lines(texts, place))
            found[place] = " ".join(token for token, _ in lexer.tokens())
    return found


def _next_lines(texts: Sequence[str], place: int) -> str:
    """What follows a line in its file, up to a line that is not blank."""
    after = []
    for text in islice(texts, place + 1, None):
        after.append("\n" + text.translate(_LINE_ENDS))
        if text.strip():
            after.append("\n" if place + len(after) < len(texts) - 1 else "")
            break
    return "".join(after)


def _in_context(text: str) -> str:
    text = text.translate(_LINE_ENDS)
    lexer = Lexer(text)
    if ". ." in text:
        return " ".join(token for token, _ in lexer.tokens())
    found, start = [], 0
    while start < len(text):
        end = text.find(" ", start)
        end = len(text) if end < 0 else end
        form = _PIECES[text[start:end]]
        if form == _OPEN:
            form, end = _up_to_space(lexer, text, start)
        found.append(form)
        start = end + 1
    return "".join(found)[:-1]


def _up_to_space(lexer: Lexer, text: str, start: int) -> tuple[str, int]:
    """The tokens from ``start`` to the first that ends at a space, and where that is."""
    found = []
    for token, end in lexer.tokens(start):
        found.append(f"{token} ")
        if text[end : end + 1] == " ":
            return "".join(found), end
    return "".join(found), len(text)


class _Pieces(dict[str, str]):
    """Tokens of what stands between spaces, each followed by a space; nothing depends on what stood before a piece."""

    def __missing__(self, piece: str) -> str:
        form = _form(piece)
        if len(piece) <= _LONG:
            if len(self) >= _MANY:
                self.clear()
            self[piece] = form
        return form


def _form(piece: str) -> str:
    plain = _PLAIN.fullmatch(piece)
    if plain and (word := plain[1].lower()) not in _SPLIT and not (plain[2] == "." and _keeps_period(word)):
        return f"{word} "
    if not piece.isprintable() or "<" in piece or piece[-1:].isdecimal() or _AREA_CODE.search(piece):
        return _OPEN
    found = [token for token, _ in Lexer(piece).tokens()]
    if piece.endswith(".") and found and (found[-1] in _NUMBERED or (len(found[-1]) == 2 and found[-1][1] == ".")):
        return _OPEN
    return "".join(f"{token} " for token in found)


def _keeps_period(word: str) -> bool:
    return len(word) == 1 or word in _ABBREVIATED


_PIECES = _Pieces()
