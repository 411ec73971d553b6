"""Training subsets: nested, in proportion, of one prior; combinations held out."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.conditions.subsets import PERCENTS, RATIOS, geometric_prior, imbalanced, nested
from mmbench.core.errors import UsageError

counts = st.integers(1, 300)


def ids(count: int) -> list[str]:
    return [f"train/{n:06d}" for n in range(count)]


@given(count=counts, seed=st.integers(0, 5))
def test_smaller_parts_are_within_larger_ones(count: int, seed: int) -> None:
    groups = {name: name for name in ids(count)}
    parts = [nested(groups, percent, seed=seed) for percent in PERCENTS]
    assert parts[-1] == ids(count)
    for percent, small, large in zip(PERCENTS, parts, parts[1:], strict=False):
        assert set(small) <= set(large)
        assert len(small) == -(-count * percent // 100)
        assert small == sorted(small)


def test_the_samples_of_a_group_stay_together() -> None:
    groups = {f"{name}-{part}": name for name in ids(200) for part in range(6)}
    kept = Counter(groups[sample] for sample in nested(groups, 10))
    assert len(kept) == 20
    assert set(kept.values()) == {6}


def test_each_stratum_keeps_its_share() -> None:
    groups = {name: name for name in ids(400)}
    strata = {name: ("rare" if number % 40 == 0 else "common") for number, name in enumerate(groups)}
    found = {p: Counter(strata[name] for name in nested(groups, p, strata)) for p in (1, 10)}
    assert found == {1: {"rare": 1, "common": 4}, 10: {"rare": 1, "common": 39}}


def test_the_seed_chooses_other_samples() -> None:
    groups = {name: name for name in ids(300)}
    assert nested(groups, 10, seed=0) != nested(groups, 10, seed=1)


@pytest.mark.parametrize("ratio", RATIOS)
@pytest.mark.parametrize("classes", [1, 2, 4, 16])
def test_the_prior_is_geometric(ratio: int, classes: int) -> None:
    prior = geometric_prior(classes, ratio)
    assert sum(prior) == pytest.approx(1)
    assert prior[0] / prior[-1] == pytest.approx(ratio if classes > 1 else 1)
    factors = [second / first for first, second in pairwise(prior)]
    assert factors == pytest.approx(factors[:1] * len(factors))


def test_classes_are_thinned_to_the_prior() -> None:
    labels = {name: number % 4 for number, name in enumerate(ids(4000))}
    left = {ratio: imbalanced(labels, ratio) for ratio in RATIOS}
    assert left[1] == list(labels)
    assert Counter(labels[name] for name in left[10]) == {0: 1000, 1: 464, 2: 215, 3: 100}
    assert Counter(labels[name] for name in left[100]) == {0: 1000, 1: 215, 2: 46, 3: 10}
    assert set(left[100]) <= set(left[10])


def test_wrong_requests_are_named() -> None:
    with pytest.raises(UsageError, match="no part of 3%; expected one of: 1, 2, 5, 10, 25, 100"):
        nested({"a": "a"}, 3)
    with pytest.raises(UsageError, match="no imbalance 3:1; expected one of: 1:1, 10:1, 100:1"):
        imbalanced({"a": 0}, 3)
