"""Shares of a training split."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest

from mmbench.core.errors import UsageError
from mmbench.study.subsets import part

STRATA = [f"class-{n % 4}" for n in range(400)]


def test_shares_are_nested_and_in_proportion() -> None:
    """1, 2, 5, 10, 25, 100 %: each in the next, each with its share of every stratum."""
    shares = [1, 2, 5, 10, 25, 100]
    found = [part(STRATA, share, seed=3) for share in shares]
    assert [len(chosen) for chosen in found] == [4, 8, 20, 40, 100, 400]
    for smaller, larger in pairwise(found):
        assert set(smaller) < set(larger)
    for chosen in found:
        assert set(Counter(STRATA[i] for i in chosen).values()) == {len(chosen) // 4}


def test_a_seed_draws_its_own_part() -> None:
    assert part(STRATA, 5, seed=0) != part(STRATA, 5, seed=1)
    assert part(STRATA, 100, seed=0) == part(STRATA, 100, seed=1)


def test_nothing_is_no_part() -> None:
    with pytest.raises(UsageError, match="leave --labels 1 out"):
        part(STRATA[:40], 1, seed=0)
