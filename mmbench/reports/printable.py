"""Text that came from data or models, made safe to show."""

from __future__ import annotations

from mmbench.core.key import CLEAN


def printable(text: str) -> str:
    r"""The text with every character that does not print (escape, newline, bidi override, lone surrogate) as ``\x..``.

    A terminal would obey such characters, and a table would break at them.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def named(suite: str, condition: str, inference: str = "") -> str:
    """What was measured: the suite's reference, the condition unless it is clean, the inference unless it is plain."""
    changed = "" if condition == CLEAN else f", condition {condition}"
    return suite + changed + (f", inference {inference}" if inference else "")
