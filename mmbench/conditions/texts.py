"""Changes of text."""

from __future__ import annotations

from mmbench.conditions.stream import Stream
from mmbench.core.source import Modality


def word_drop(value: str, level: int, stream: Stream, modality: Modality) -> str:  # noqa: ARG001
    """Each word is left out with a chance of ``level`` in 100; one at least stays."""
    words = value.split()
    gone = stream.hits(len(words), level).tolist()
    kept = [word for word, lost in zip(words, gone, strict=True) if not lost]
    if kept or not words:
        return " ".join(kept)
    return words[int(stream.words(1)[0] >> 32) % len(words)]
