"""Retrieval against rankings written out, scikit-learn's nDCG and known answers."""

from __future__ import annotations

import math
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.metrics import retrieval
from mmbench.metrics.ratios import mean


@pytest.fixture(scope="module")
def metrics() -> ModuleType:
    """scikit-learn's metrics, an independent reference."""
    return pytest.importorskip("sklearn.metrics")


def pessimistic_order(scores: np.ndarray, gains: np.ndarray) -> list[int]:
    """Items by falling score; of equal scores the smaller gain first."""
    return sorted(range(len(scores)), key=lambda i: (-scores[i], gains[i]))


def matrix(queries: int, items: int, levels: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Similarities [Q,D] on ``levels`` values and gains [Q,D] of 0..2, of which some rows are all 0."""
    random = np.random.default_rng(seed)
    gains = random.integers(0, 3, (queries, items)) * (random.random((queries, items)) < 0.4)
    return random.integers(0, levels, (queries, items)) / levels, gains


def value(rows: np.ndarray) -> float:
    return float(mean(rows.sum(axis=0)))


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 6), st.integers(1, 9), st.sampled_from([1, 2, 4, 10**6]), st.integers(0, 10**6))
def test_against_the_ranking_written_out(queries: int, items: int, levels: int, seed: int) -> None:
    """First ranks, recall@k and nDCG@k of every query, with ties at every place."""
    scores, gains = matrix(queries, items, levels, seed)
    relevant = gains > 0
    ranks = retrieval.first_ranks(scores, relevant)
    for q in range(queries):
        order = pessimistic_order(scores[q], gains[q])
        found = [place for place, item in enumerate(pessimistic_order(scores[q], relevant[q]), 1) if relevant[q, item]]
        assert ranks[q] == (found[0] if found else 0)
        for k in (1, 2, 5):
            recall = retrieval.recall_rows(scores[q : q + 1], relevant[q : q + 1], k)[0]
            assert recall.tolist() == ([sum(p <= k for p in found) / len(found), 1] if found else [0, 0])
            dcg = sum(gains[q, item] / math.log2(place + 1) for place, item in enumerate(order[:k], 1))
            best = sum(g / math.log2(place + 1) for place, g in enumerate(sorted(gains[q])[::-1][:k], 1))
            ndcg = retrieval.ndcg_rows(scores[q : q + 1], gains[q : q + 1], k)[0]
            assert ndcg == pytest.approx([dcg / best, 1] if best else [0, 0], rel=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 5), st.integers(2, 9), st.integers(0, 10**6))
def test_scikit_learns_ndcg(metrics: ModuleType, queries: int, items: int, seed: int) -> None:
    """Without ties the nDCG of graded gains is scikit-learn's."""
    random = np.random.default_rng(seed)
    scores = random.permuted(np.tile(np.arange(items), (queries, 1)), axis=1)
    gains = random.integers(0, 4, (queries, items))
    gains[:, 0] = 1
    for k in (None, 1, 3):
        expected = metrics.ndcg_score(gains, scores, k=k)
        assert value(retrieval.ndcg_rows(scores, gains, k)) == pytest.approx(expected, rel=1e-12)


def test_known_answers() -> None:
    """Three queries whose best relevant items are at ranks 1, 2 and 4."""
    ranks = np.array([1, 2, 4])
    assert [value(retrieval.rank_hit_rows(ranks, k)) for k in (1, 2, 5)] == pytest.approx([1 / 3, 2 / 3, 1])
    assert value(retrieval.reciprocal_rank_rows(ranks)) == pytest.approx((1 + 1 / 2 + 1 / 4) / 3)
    assert retrieval.median_rank(ranks)[0] == 2
    assert retrieval.median_rank(ranks, np.array([[1, 1, 0], [3, 0, 1], [1, 0, 1]])).tolist() == [1.5, 1, 2.5]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=9))
def test_the_median_is_numpys(ranks: list[int]) -> None:
    """Over the queries that have a rank; NaN with none."""
    ranked = [rank for rank in ranks if rank]
    expected = np.median(ranked) if ranked else np.nan
    np.testing.assert_array_equal(retrieval.median_rank(np.array(ranks)), [expected])


def test_a_model_that_says_one_thing_gains_nothing() -> None:
    """Constant similarities rank everything irrelevant first."""
    relevant = np.eye(4, dtype=bool)
    ranks = retrieval.first_ranks(np.ones((4, 4)), relevant)
    assert ranks.tolist() == [4, 4, 4, 4]
    assert value(retrieval.recall_rows(np.ones((4, 4)), relevant, 3)) == 0
    assert value(retrieval.ndcg_rows(np.ones((4, 4)), relevant, 3)) == 0


def test_several_captions_an_image() -> None:
    """Two images of two captions: one of an image's captions is enough, a caption has one image."""
    captions = [7, 7, 9, 9]
    relevant = retrieval.matches([7, 9], captions)
    assert relevant.tolist() == [[True, True, False, False], [False, False, True, True]]
    similarity = np.array([[0.1, 0.9, 0.8, 0.2], [0.3, 0.7, 0.1, 0.5]])
    assert retrieval.first_ranks(similarity, relevant).tolist() == [1, 2]
    assert retrieval.first_ranks(similarity.T, relevant.T).tolist() == [2, 1, 2, 1]
    assert value(retrieval.recall_rows(similarity, relevant, 2)) == 0.5


def test_queries_without_a_relevant_item_are_left_out() -> None:
    """They are in no mean and no median; with none left there is no value."""
    similarity, relevant = np.array([[0.9, 0.1], [0.9, 0.1]]), np.array([[0, 1], [0, 0]])
    ranks = retrieval.first_ranks(similarity, relevant)
    assert ranks.tolist() == [2, 0]
    assert value(retrieval.rank_hit_rows(ranks, 2)) == value(retrieval.recall_rows(similarity, relevant, 2)) == 1
    assert value(retrieval.reciprocal_rank_rows(ranks)) == 0.5
    assert value(retrieval.ndcg_rows(similarity, relevant)) == pytest.approx(1 / math.log2(3))
    assert retrieval.median_rank(ranks)[0] == 2
    assert np.isnan(value(retrieval.rank_hit_rows(ranks[1:], 2)))
    assert np.isnan(retrieval.median_rank(ranks[1:]))


def test_unsigned_similarities() -> None:
    """Small unsigned integers do not wrap around when they are ranked."""
    similarity = np.array([[0, 3, 255]], np.uint8)
    assert retrieval.first_ranks(similarity, [[0, 1, 0]]).tolist() == [2]
    assert value(retrieval.ndcg_rows(similarity, np.array([[0, 0, 2]], np.uint8))) == 1


def test_blocks_of_queries_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ranks computed two queries at a time are those of all at once."""
    scores, gains = matrix(7, 5, 4, 0)
    whole = retrieval.first_ranks(scores, gains > 0)
    monkeypatch.setattr(retrieval, "_BLOCK", 10)
    np.testing.assert_array_equal(retrieval.first_ranks(scores, gains > 0), whole)
