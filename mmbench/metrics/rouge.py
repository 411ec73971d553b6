"""ROUGE-L as in coco-caption: longest common subsequences, the highest precision and the highest recall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mmbench.core.metric import Floats

_BETA = 1.2


def rouge_l(references: Sequence[Sequence[str]], candidates: Sequence[str]) -> Floats:
    """float64 [n], 0..1: ROUGE-L of each image; the corpus' is their mean. Texts are tokenized.

    Lin 2004, as coco-caption's Rouge computes it: F = (1 + b^2) P R / (R + b^2 P) with b = 1.2, where P and R are the
    highest precision and the highest recall over the references, maybe of two. Words are those of ``split(" ")``: a
    token with U+00A0 inside is one, and an empty text is one empty word, so that two empty texts score 1. Each image
    needs a reference.
    """
    scores = [_of_image(candidate, texts) for candidate, texts in zip(candidates, references, strict=True)]
    return np.array(scores, dtype=np.float64)


def _of_image(candidate: str, references: Sequence[str]) -> float:
    words = candidate.split(" ")
    places: dict[str, int] = {}
    for place, word in enumerate(words):
        places[word] = places.get(word, 0) | 1 << place
    recall, longest = 0.0, 0
    for reference in references:
        others = reference.split(" ")
        common = _common(places, len(words), others)
        longest = max(longest, common)
        recall = max(recall, common / len(others))
    precision = longest / len(words)
    return (1 + _BETA**2) * precision * recall / (recall + _BETA**2 * precision) if longest else 0.0


def _common(places: Mapping[str, int], length: int, words: Sequence[str]) -> int:
    """Length of the longest common subsequence of ``words`` and a text of ``length`` words with bits at their places.

    Each word updates a whole row of the table as one number (Hyyro 2004): a bit is 0 where the length grows.
    """
    full = (1 << length) - 1
    row = full
    for word in words:
        if place := places.get(word):
            shared = row & place
            row = (row + shared) | (row - shared)
    return length - (row & full).bit_count()
