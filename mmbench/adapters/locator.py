"""Locators: where a model is, as ``scheme:target``; a path without a scheme is a checkpoint."""

from __future__ import annotations

import re
from dataclasses import dataclass

# A scheme has no dot and no slash, so that ``runs/a:b.ckpt`` stays a path.
_SCHEME = re.compile(r"^(?P<scheme>[A-Za-z][A-Za-z0-9_-]+):(?P<target>.*)$", re.DOTALL)
DEFAULT_SCHEME = "checkpoint"


@dataclass(frozen=True, slots=True)
class Locator:
    """``scheme`` names the adapter, ``target`` is what the adapter is given."""

    scheme: str
    target: str

    @classmethod
    def parse(cls, text: str) -> Locator:
        """``baseline:concat`` -> (baseline, concat); ``my.ckpt`` -> (checkpoint, my.ckpt)."""
        match = _SCHEME.match(text)
        return cls(match["scheme"], match["target"]) if match else cls(DEFAULT_SCHEME, text)

    def __str__(self) -> str:
        return self.target if self.scheme == DEFAULT_SCHEME else f"{self.scheme}:{self.target}"
