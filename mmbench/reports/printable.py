"""Text that came from data or models, made safe to show."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""The text with every character that does not print (escape, newline, bidi override, lone surrogate) as ``\x..``.

    A terminal would obey such characters, and a table would break at them.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
