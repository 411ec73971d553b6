"""Rank ranges from pairwise p-values."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mmbench.stats.ranks import rank_ranges


def test_all_told_apart() -> None:
    """Every pair significant: every range is one rank, by score."""
    assert rank_ranges(np.array([0.2, 0.9, 0.5]), np.zeros(3)) == [(3, 3), (1, 1), (2, 2)]


def test_nothing_told_apart() -> None:
    """No pair significant: every range is all ranks."""
    assert rank_ranges(np.array([0.2, 0.9, 0.5]), np.ones(3)) == [(1, 3)] * 3


def test_ranges_are_not_groups() -> None:
    """A beats C, B is told apart from neither: B ranges over all ranks while A and C do not meet."""
    p_values = np.array([0.5, 0.001, 0.5])
    assert rank_ranges(np.array([0.9, 0.7, 0.5]), p_values) == [(1, 2), (1, 3), (2, 3)]


def test_holm_is_over_all_pairs() -> None:
    """One p of 0.02 among three is not significant at 0.05; alone it is."""
    assert rank_ranges(np.array([0.9, 0.5, 0.7]), np.array([0.02, 1.0, 1.0])) == [(1, 3)] * 3
    assert rank_ranges(np.array([0.9, 0.5]), np.array([0.02])) == [(1, 1), (2, 2)]


def test_few_sides() -> None:
    """One side has rank 1; none have none; a score that is undefined or equal claims nothing."""
    assert rank_ranges(np.array([0.3]), np.zeros(0)) == [(1, 1)]
    assert rank_ranges(np.zeros(0), np.zeros(0)) == []
    assert rank_ranges(np.array([0.3, math.nan]), np.array([1.0])) == [(1, 2), (1, 2)]
    assert rank_ranges(np.array([0.3, 0.3]), np.array([0.0])) == [(1, 2), (1, 2)]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6), st.data())
def test_ranges_are_ranges(scores: list[float], data: st.DataObject) -> None:
    """1 <= best <= worst <= M, and the rank by score lies inside the range."""
    pairs = len(list(combinations(scores, 2)))
    p_values = data.draw(st.lists(st.sampled_from([0.0, 0.001, 0.02, 1.0]), min_size=pairs, max_size=pairs))
    for score, (best, worst) in zip(scores, rank_ranges(np.array(scores), np.array(p_values)), strict=True):
        above = sum(other > score for other in scores)
        below = sum(other < score for other in scores)
        assert 1 <= best <= 1 + above
        assert len(scores) - below <= worst <= len(scores)
