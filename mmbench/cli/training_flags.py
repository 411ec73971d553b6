"""What the flags of the verbs that train have in common: texts to values, with a sentence where that is impossible."""

from __future__ import annotations

import re
from importlib.util import find_spec
from typing import Any

from mmbench.core.errors import MissingExtra, UsageError


def require_torch(verb: str) -> None:
    """Raises MissingExtra where torch is not installed."""
    if find_spec("torch") is None:
        raise MissingExtra(verb, "torch")


def height_and_width(flag: str, text: str | None) -> tuple[int, int] | None:
    """``360x480``; raises UsageError."""
    if text is None:
        return None
    match = re.fullmatch(r"([1-9][0-9]{0,4})x([1-9][0-9]{0,4})", text)
    if match is None:
        raise UsageError(f"{flag} {text!r} is not a size; expected HEIGHTxWIDTH in pixels, as in {flag} 360x480.")
    return int(match[1]), int(match[2])


def one_of(flag: str, text: str | None, choices: tuple[str, ...]) -> Any:
    """The text if it is a choice, or None; raises UsageError."""
    if text is not None and text not in choices:
        raise UsageError(f"{flag} {text!r} is not known; expected one of: {', '.join(choices)}.")
    return text


def positive_rate(number: float | None) -> float | None:
    """A learning rate; raises UsageError."""
    if number is not None and not 0 < number < float("inf"):
        raise UsageError(f"--lr {number} is not a learning rate; expected a number above 0, as in --lr 0.003.")
    return number


def power_of_two(number: int | None) -> Any:
    """A stride; raises UsageError."""
    if number not in (None, 1, 2, 4, 8):
        raise UsageError(f"--stride {number} is not possible; expected 1, 2, 4 or 8.")
    return number
