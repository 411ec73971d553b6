"""Texts to tokens."""

from __future__ import annotations

import torch

from mmbench.models.text_encoder import TextEncoder
from mmbench.models.vocabulary import PAD, UNKNOWN, Vocabulary, split_words, vocabulary_of

WORDS = ("a", "disc", "red", "the")


def test_words_are_split_and_counted() -> None:
    assert split_words("What's the Red-disc?") == ["what", "'", "s", "the", "red", "-", "disc", "?"]
    assert vocabulary_of(["b a", "a", "c c c"]) == (("a", "b", "c"), 3)
    assert vocabulary_of([]) == ((), 0)


def test_texts_are_padded_and_cut() -> None:
    """Unknown words have a number of their own, which is not that of padding."""
    numbers = Vocabulary(WORDS, 3).encode(["the red disc a", "blue", ""])
    assert numbers.tolist() == [[5, 4, 3], [UNKNOWN, PAD, PAD], [PAD, PAD, PAD]]


def test_the_length_of_the_padding_changes_nothing() -> None:
    """The tokens of a text are the same however far it is padded; padded ones are marked."""
    torch.manual_seed(0)
    encoder = TextEncoder(len(WORDS), 8)
    short = encoder(Vocabulary(WORDS, 3).encode(["the red"]))
    long = encoder(Vocabulary(WORDS, 9).encode(["the red"]))
    torch.testing.assert_close(long.x[:, :2], short.x[:, :2])
    assert long.pad.tolist() == [[False] * 2 + [True] * 7]
    assert not long.x[:, 2:].any()
