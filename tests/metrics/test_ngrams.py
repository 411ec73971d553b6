"""The shared pass over n-grams against counting tuples of words."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.metrics import ngrams
from mmbench.metrics.ngrams import Images, encode, grams, in_turn, matches

# Few words, so that n-grams meet; U+00A0 and runs of spaces separate words here.
TEXTS = st.lists(st.sampled_from(["a", "b", "c", "dd", "e\xa0f", ""]), max_size=9).map(" ".join)
CORPORA = st.lists(st.tuples(TEXTS, st.lists(TEXTS, min_size=1, max_size=4)), min_size=1, max_size=5)


def counted(text: str, order: int) -> Counter[tuple[str, ...]]:
    words = text.split()
    return Counter(tuple(words[i : i + order]) for i in range(len(words) - order + 1))


def spelled(texts: list[str]) -> list[list[Counter[tuple[str, ...]]]]:
    """The n-grams of each order and text, spelled out from their numbers."""
    words = encode(texts)
    spelling = list(words.vocabulary)
    names: list[tuple[str, ...]] = [()]
    orders = []
    for found in grams(words):
        names = [(*names[p], spelling[w]) for p, w in zip(found.prefix.tolist(), found.last.tolist(), strict=True)]
        counts = [Counter[tuple[str, ...]]() for _ in texts]
        for gram, text, count in zip(found.gram.tolist(), found.text.tolist(), found.count.tolist(), strict=True):
            counts[text][names[gram]] = count
        orders.append(counts)
    return orders


@given(st.lists(TEXTS, max_size=6))
def test_counts(texts: list[str]) -> None:
    """Each n-gram of each text is found as often as it occurs, and has one number in all texts."""
    expected = [[counted(text, order) for text in texts] for order in range(1, ngrams.ORDERS + 1)]
    assert spelled(texts) == expected


@given(st.lists(TEXTS, max_size=6))
def test_many_words(texts: list[str]) -> None:
    """Numbers too large to be sorted as one are sorted another way, with the same result."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ngrams, "_BITS", 0)
        slow = [vars_of(found) for found in grams(encode(texts))]
    assert slow == [vars_of(found) for found in grams(encode(texts))]


def vars_of(found: ngrams.Grams) -> list[list[int]]:
    return [column.tolist() for column in (found.prefix, found.last, found.gram, found.text, found.count)]


@given(CORPORA)
def test_matches(corpus: list[tuple[str, list[str]]]) -> None:
    """A place holds the count in the candidate and the highest count in a reference of its image."""
    candidates, references = [c for c, _ in corpus], [r for _, r in corpus]
    words, images = encode(in_turn(references, candidates)), Images.of(references)
    for order, found in enumerate(grams(words), start=1):
        match = matches(found, images)
        places = sorted(zip(match.image.tolist(), match.candidate.tolist(), match.reference.tolist(), strict=True))
        expected = []
        for image, (candidate, texts) in enumerate(corpus):
            own, others = counted(candidate, order), [counted(text, order) for text in texts]
            every = set(own).union(*others)
            expected += [(image, own[gram], max(other[gram] for other in others)) for gram in every]
        assert places == sorted(expected)
        assert np.array_equal(match.gram[match.place], found.gram)
