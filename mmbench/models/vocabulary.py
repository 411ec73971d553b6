"""Words and their numbers; the vocabulary is part of a model's configuration, so that a checkpoint needs no other file.

0 is padding, 1 an unknown word, then the words in order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Protocol

import torch
from torch import Tensor

from mmbench.models.config import TextConfig

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


class Numbering(Protocol):
    """Texts to numbers."""

    def encode(self, texts: Sequence[str]) -> Tensor:
        """int64 [B,L]: padded with 0, cut where it is longer."""


def numbering(table: TextConfig) -> Numbering:
    """That of a model's text."""
    return WordPieces(table.words, table.length) if table.pieces else Vocabulary(table.words, table.length)


class WordPieces:
    """Texts to numbers of word pieces, [CLS] in front and [SEP] behind, as BERT reads them, lower-cased.

    The vocabulary is in the order of its file, whose first entry is the padding.
    """

    def __init__(self, words: Sequence[str], length: int) -> None:
        from tokenizers import BertWordPieceTokenizer

        self._tokenizer = BertWordPieceTokenizer({word: n for n, word in enumerate(words)}, lowercase=True)
        self._tokenizer.enable_truncation(length)
        self._tokenizer.enable_padding(length=length, pad_id=PAD)

    def encode(self, texts: Sequence[str]) -> Tensor:
        """An empty text, which stands for an absent one, is padding alone."""
        rows = torch.tensor([encoding.ids for encoding in self._tokenizer.encode_batch(list(texts))])
        empty = torch.tensor([not text for text in texts])
        return rows.masked_fill(empty[:, None], PAD)


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
