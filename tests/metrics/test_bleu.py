"""BLEU against the formula of the paper with the official constants, one image after the other."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.metrics.bleu import bleu
from mmbench.metrics.captions import caption_rows

TEXTS = st.lists(st.sampled_from(["a", "b", "c", "dd", "e\xa0f"]), max_size=9).map(" ".join)
CORPORA = st.lists(st.tuples(TEXTS, st.lists(TEXTS, min_size=1, max_size=4)), min_size=1, max_size=5)


def counted(words: list[str], order: int) -> Counter[tuple[str, ...]]:
    return Counter(tuple(words[i : i + order]) for i in range(len(words) - order + 1))


def plain_row(candidate: str, references: list[str]) -> list[int]:
    """Guessed, correct, candidate length and closest reference length, with dictionaries."""
    words, others = candidate.split(), [text.split() for text in references]
    guessed, correct = [], []
    for order in (1, 2, 3, 4):
        own, theirs = counted(words, order), [counted(other, order) for other in others]
        guessed.append(sum(own.values()))
        correct.append(sum(min(count, max(t[gram] for t in theirs)) for gram, count in own.items()))
    closest = min((abs(len(other) - len(words)), len(other)) for other in others)[1]
    return [*guessed, *correct, len(words), closest]


def plain_bleu(row: list[int]) -> list[float]:
    """BLEU 1 to 4 of one row of sums."""
    product, scores = 1.0, []
    ratio = (row[8] + 1e-15) / (row[9] + 1e-9)
    brevity = math.exp(1 - 1 / ratio) if ratio < 1 else 1.0
    for order in range(4):
        product *= (row[4 + order] + 1e-15) / (row[order] + 1e-9)
        scores.append(product ** (1 / (order + 1)) * brevity)
    return scores


@given(CORPORA)
def test_rows(corpus: list[tuple[str, list[str]]]) -> None:
    """Rows equal counting with dictionaries, also of empty texts and of any number of references."""
    rows = caption_rows([texts for _, texts in corpus], [candidate for candidate, _ in corpus]).bleu
    assert rows.dtype == np.int64
    assert rows.tolist() == [plain_row(candidate, texts) for candidate, texts in corpus]


@given(CORPORA)
def test_values(corpus: list[tuple[str, list[str]]]) -> None:
    """Values of any leading axes: each image, the corpus, both at once."""
    rows = caption_rows([texts for _, texts in corpus], [candidate for candidate, _ in corpus]).bleu.astype(float)
    sums = np.stack([rows, np.broadcast_to(rows.sum(axis=0), rows.shape)])
    expected = [[plain_bleu(row) for row in table] for table in sums.tolist()]
    assert bleu(sums) == pytest.approx(np.array(expected), rel=1e-12, abs=1e-300)


def test_by_hand() -> None:
    """Two of three words are right, one of two pairs; the candidate is one word short: exp(1 - 4/3)."""
    (row,) = caption_rows([["a big dog sat"]], ["a big cat"]).bleu
    assert row.tolist() == [3, 2, 1, 0, 2, 1, 0, 0, 3, 4]
    short = math.exp(1 - 4 / 3)
    scores = bleu(row.astype(float))
    assert scores[:2] == pytest.approx([2 / 3 * short, math.sqrt(2 / 3 * 1 / 2) * short], rel=1e-8)
    assert (scores[2:] < 1e-4).all()


def test_closest_reference_length() -> None:
    """Of the lengths 2 and 4 both are one off 3: the shorter counts."""
    assert caption_rows([["a b c d", "a b"]], ["a b c"]).bleu[0, -1] == 2


def test_empty() -> None:
    """An empty caption scores 0, and neither it nor an empty corpus of draws is undefined."""
    assert bleu(caption_rows([["a b"]], [""]).bleu.astype(float)).tolist() == [[0.0] * 4]
    assert np.isfinite(bleu(np.zeros((2, 10)))).all()
