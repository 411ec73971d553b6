"""Beam search against the enumeration of all sequences."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mmbench.models.beam_search import beam_search

CPU = torch.device("cpu")


def model_of(seed: int, vocabulary: int, length: int) -> dict[tuple[int, tuple[int, ...]], Tensor]:
    """Log-probabilities after every beginning, of two items."""
    draws = torch.Generator().manual_seed(seed)
    return {
        (item, beginning): (2 * torch.randn(vocabulary, generator=draws)).log_softmax(dim=0)
        for item in range(2)
        for size in range(length)
        for beginning in product(range(vocabulary), repeat=size)
    }


def follow_of(table: dict[tuple[int, tuple[int, ...]], Tensor]):  # type: ignore[no-untyped-def]
    def follow(found: Tensor) -> Tensor:
        return torch.stack(
            [torch.stack([table[item, tuple(row)] for row in rows]) for item, rows in enumerate(found.tolist())]
        )

    return follow


def every_sequence(table: dict[tuple[int, tuple[int, ...]], Tensor], item: int, vocabulary: int, length: int) -> dict:  # type: ignore[type-arg]
    """By sequence (that ends with 0 or has the full length) its log-probability."""
    found = {}
    for sequence in product(range(vocabulary), repeat=length):
        words = sequence[: sequence.index(0) + 1] if 0 in sequence else sequence
        found[words] = sum(float(table[item, words[:t]][w]) for t, w in enumerate(words))
    return found


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 4), st.integers(1, 4))
def test_a_wide_beam_finds_the_best_of_all(seed: int, vocabulary: int, length: int) -> None:
    table = model_of(seed, vocabulary, length)
    best, scores = beam_search(follow_of(table), 2, vocabulary**length, length, CPU)
    for item in range(2):
        everything = every_sequence(table, item, vocabulary, length)
        words = max(everything, key=everything.__getitem__)
        assert best[item].tolist() == [*words, *[0] * (length - len(words))]
        assert scores[item] == pytest.approx(everything[words], abs=1e-5)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 4), st.integers(1, 4))
def test_a_beam_of_one_is_greedy(seed: int, vocabulary: int, length: int) -> None:
    table = model_of(seed, vocabulary, length)
    best, _ = beam_search(follow_of(table), 2, 1, length, CPU)
    for item in range(2):
        words: list[int] = []
        while len(words) < length and 0 not in words:
            words.append(int(table[item, tuple(words)].argmax()))
        assert best[item].tolist() == [*words, *[0] * (length - len(words))]


def test_a_wider_beam_is_no_worse_here() -> None:
    """A first word that looks best and leads nowhere: greedy search takes it, a beam of two does not."""
    likely = {(): [0.0, 0.6, 0.4], (1,): [0.34, 0.33, 0.33], (2,): [0.98, 0.01, 0.01]}

    def follow(found: Tensor) -> Tensor:
        rows = [[likely.get(tuple(row), [1.0, 0.0, 0.0]) for row in item] for item in found.tolist()]
        return torch.tensor(rows).log()

    assert beam_search(follow, 1, 1, 2, CPU)[0].tolist() == [[1, 0]]
    best, score = beam_search(follow, 1, 2, 2, CPU)
    assert best.tolist() == [[2, 0]]
    assert score.exp().tolist() == pytest.approx([0.4 * 0.98])
