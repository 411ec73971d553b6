"""From a list of strings to captions or answers."""

from __future__ import annotations

from typing import Any

from mmbench.adapters.asked import Asked
from mmbench.core.errors import SampleError
from mmbench.core.prediction import Text


def texts_of(raw: Any, asked: Asked, what: str = "captions") -> list[Text | SampleError]:
    """A list of B strings, one for each item; raises LoadError for anything else."""
    if not isinstance(raw, list | tuple) or not all(isinstance(text, str) for text in raw):
        raise asked.unfit(raw, f"a list of {what} (str)")
    if len(raw) != len(asked.ids):
        raise asked.unfit(raw, f"one of the {what} for each item, {len(asked.ids)} strings")
    return [Text(i, text) for i, text in zip(asked.ids, raw, strict=True)]
