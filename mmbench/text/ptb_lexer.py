"""The lexer of the PTB tokenizer: at each position the longest match of all rules is the next token."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from mmbench.text import ptb_rules as rules
from mmbench.text import ptb_tables as tables

# What follows a text that stands alone: a line end, and then neither a capital letter nor a digit.
_ALONE = "\nq q"


class Lexer:
    """Tokens of one text, which holds no line ends, before ``after``; linear also when asked from several places.

    What no rule matches, such as white space, control characters and emoji, is dropped and separates tokens; so are the
    tokens of the removal list.
    """

    def __init__(self, text: str, after: str = _ALONE) -> None:
        self._text = text
        self._shadow = (text + after).translate(_CLASSES)
        # Up to where a rule is known not to match.
        self._failed: dict[rules.Rule, int] = {}

    def tokens(self, start: int = 0) -> Iterator[tuple[str, int]]:
        """Each token from ``start``, lower-cased, and the position after it."""
        position = start
        while position < len(self._text):
            rule, end = self._longest(position)
            if rule is None:
                position += 1
                continue
            token = rule.form(self._text[position:end])
            position = end
            if token and token not in tables.REMOVED:
                yield token, end

    def _longest(self, position: int) -> tuple[rules.Rule | None, int]:
        """The rule of the token at ``position`` and the token's end."""
        best, reach, end = None, position, position
        for rule in rules.rules_of(self._shadow[position]):
            if self._failed.get(rule, 0) > position:
                continue
            match = rule.pattern.match(self._shadow, position)
            if match is None:
                self._note_failure(rule, position)
            elif match.end() > reach:
                best, reach, end = rule, match.end(), match.end(match.lastindex or 0)
        return best, end

    def _note_failure(self, rule: rules.Rule, position: int) -> None:
        if rule.run is not None and (run := rule.run.match(self._shadow, position)):
            self._failed[rule] = run.end()


class _Classes(dict[int, str]):
    """For str.translate: the shadow of each character beyond ASCII, found when first met."""

    def __missing__(self, code: int) -> str:
        if code > 0xFFFF:
            return rules.UNKNOWN
        shadow = chr(code)
        if code > 127 and shadow not in tables.NAMED:
            shadow = next((mark for mark, ranges in _RANGES if _holds(ranges, code)), rules.UNKNOWN)
        self[code] = shadow
        return shadow


def _ranges(table: str) -> tuple[list[int], list[int]]:
    """First and last code points of the ranges of a table, in ascending order."""
    pairs = [entry.split("-") for entry in table.split()]
    return [int(pair[0], 16) for pair in pairs], [int(pair[-1], 16) for pair in pairs]


def _holds(ranges: tuple[list[int], list[int]], code: int) -> bool:
    firsts, lasts = ranges
    index = bisect_right(firsts, code) - 1
    return index >= 0 and code <= lasts[index]


_RANGES = tuple(
    (mark, _ranges(table))
    for mark, table in (
        (rules.LETTER, tables.LETTERS),
        (rules.MARK, tables.MARKS),
        (rules.DIGIT, tables.DIGITS),
        (rules.SYMBOL, tables.SYMBOLS),
        (rules.SUPERSCRIPT, tables.SUPERSCRIPTS),
    )
)
_CLASSES = _Classes()
