"""CIDEr against vectors in dictionaries, and the document frequencies of a stated corpus."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.core.errors import NothingMeasured
from mmbench.metrics.captions import caption_rows
from mmbench.metrics.cider import DocumentFrequencies, document_frequencies

TEXTS = st.lists(st.sampled_from(["a", "b", "c", "dd", "e\xa0f"]), max_size=9).map(" ".join)
CORPORA = st.lists(st.tuples(TEXTS, st.lists(TEXTS, min_size=1, max_size=4)), min_size=1, max_size=5)
REFERENCES = st.lists(st.lists(TEXTS, min_size=1, max_size=3), min_size=1, max_size=5)

Gram = tuple[str, ...]


def counted(text: str, order: int) -> Counter[Gram]:
    words = text.split()
    return Counter(tuple(words[i : i + order]) for i in range(len(words) - order + 1))


def cosine(own: dict[Gram, float], other: dict[Gram, float]) -> float:
    """Clipped to what the other holds."""
    norms = math.sqrt(sum(v * v for v in own.values())) * math.sqrt(sum(v * v for v in other.values()))
    product = sum(min(value, other.get(gram, 0.0)) * other.get(gram, 0.0) for gram, value in own.items())
    return product / norms if norms else 0.0


def plain(corpus: list[tuple[str, list[str]]], documents: list[list[str]]) -> list[float]:
    """CIDEr of each image with the document frequencies of ``documents``."""
    frequency = Counter(
        gram for texts in documents for gram in {g for text in texts for n in (1, 2, 3, 4) for g in counted(text, n)}
    )

    def vector(text: str, order: int) -> dict[Gram, float]:
        weights = {gram: math.log(len(documents)) - math.log(max(1, frequency[gram])) for gram in counted(text, order)}
        return {gram: count * weights[gram] for gram, count in counted(text, order).items()}

    scores = []
    for candidate, texts in corpus:
        total = 0.0
        for text in texts:
            delta = counted(candidate, 2).total() - counted(text, 2).total()
            cosines = sum(cosine(vector(candidate, n), vector(text, n)) for n in (1, 2, 3, 4))
            total += cosines / 4 * math.exp(-(delta**2) / 72)
        scores.append(10 * total / len(texts))
    return scores


def rows(corpus: list[tuple[str, list[str]]], frequencies: DocumentFrequencies | None = None) -> np.ndarray:
    return caption_rows([texts for _, texts in corpus], [candidate for candidate, _ in corpus], frequencies).cider


@given(CORPORA)
def test_own_frequencies(corpus: list[tuple[str, list[str]]]) -> None:
    """Document frequencies of the references scored."""
    assert rows(corpus) == pytest.approx(plain(corpus, [texts for _, texts in corpus]), rel=1e-12, abs=1e-12)


@given(CORPORA, REFERENCES)
def test_stated_frequencies(corpus: list[tuple[str, list[str]]], documents: list[list[str]]) -> None:
    """Document frequencies of another corpus, in which n-grams may be missing."""
    scores = rows(corpus, document_frequencies(documents))
    assert scores == pytest.approx(plain(corpus, documents), rel=1e-12, abs=1e-12)


@given(CORPORA)
def test_stated_as_own(corpus: list[tuple[str, list[str]]]) -> None:
    """The references scored, stated as the corpus, change nothing."""
    stated = document_frequencies([texts for _, texts in corpus])
    assert rows(corpus, stated) == pytest.approx(rows(corpus), rel=1e-12, abs=1e-12)


def test_one_image() -> None:
    """One image alone: log(1) = 0 for every n-gram, so the official score is 0; a stated corpus helps."""
    corpus = [("a big dog", ["a big dog"])]
    assert rows(corpus).tolist() == [0.0]
    frequencies = document_frequencies([["a cat"], ["a dog"], ["x"]])
    assert rows(corpus, frequencies) == pytest.approx([7.5])


def test_perfect() -> None:
    """A caption equal to its only reference scores 10 when it has n-grams of all orders, all rare."""
    assert rows([("a b c d", ["a b c d"]), ("x", ["x"])]) == pytest.approx([10.0, 2.5])


def test_no_documents() -> None:
    """Frequencies of nothing are a mistake."""
    with pytest.raises(NothingMeasured, match="at least one image"):
        document_frequencies([])
