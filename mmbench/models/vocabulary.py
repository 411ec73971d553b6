"""Words and their numbers; the vocabulary is part of a model's configuration, so that a checkpoint needs no other file.

0 is padding, 1 an unknown word, then the words in order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

PAD, UNKNOWN = 0, 1
SPECIAL = 2
_WORD = re.compile(r"\w+|[^\w\s]")
# The most frequent words of a training split; a closed set of generated texts has about 120.
_MOST_WORDS = 20_000


def split_words(text: str) -> list[str]:
    """Lower-case words and punctuation marks, one by one."""
    return _WORD.findall(text.lower())


def vocabulary_of(texts: Iterable[str]) -> tuple[tuple[str, ...], int]:
    """The distinct words (the 20,000 most frequent ones), sorted, and the length in words of the longest text."""
    split = [split_words(text) for text in texts]
    counts = Counter(word for words in split for word in words)
    kept = sorted(counts, key=lambda word: (-counts[word], word))[:_MOST_WORDS]
    return tuple(sorted(kept)), max((len(words) for words in split), default=0)


class Vocabulary:
    """Texts to numbers, ``length`` of each."""

    def __init__(self, words: Sequence[str], length: int) -> None:
        self.words = tuple(words)
        self.length = length
        self._numbers = {word: SPECIAL + place for place, word in enumerate(self.words)}

    def __len__(self) -> int:
        return SPECIAL + len(self.words)

    def encode(self, texts: Sequence[str]) -> Tensor:
        """int64 [B,L]: padded with 0, cut where it is longer."""
        rows = torch.full((len(texts), self.length), PAD, dtype=torch.int64)
        for row, text in zip(rows, texts, strict=True):
            numbers = [self._numbers.get(word, UNKNOWN) for word in split_words(text)[: self.length]]
            row[: len(numbers)] = torch.tensor(numbers, dtype=torch.int64)
        return rows
