"""The plan: a subset is stratified, nested and named; batches are fixed; the resume key sees every change."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.core.errors import LoadError, NothingMeasured
from mmbench.core.suite import SuiteReference
from mmbench.runner.plan import choose, make_plan, resume_key

# Of 20 samples in two strata, 6, with seeds 0 and 1.
PINNED_0 = [0, 6, 9, 15, 18, 19]
PINNED_1 = [0, 1, 3, 7, 8, 12]

strata_lists = st.lists(st.sampled_from("abcd"), min_size=1, max_size=60)


@given(strata=strata_lists, seed=st.integers(0, 2**32), data=st.data())
def test_subset_is_in_proportion_to_within_one_sample(strata, seed, data):
    """Every stratum gets its share, up or down by less than two (one for itself, one for the others' rounding)."""
    limit = data.draw(st.integers(1, len(strata)))
    chosen = choose(strata, limit, seed)
    assert chosen == sorted(set(chosen))
    assert len(chosen) == limit
    got = Counter(strata[i] for i in chosen)
    for name, size in Counter(strata).items():
        assert abs(got[name] - limit * size / len(strata)) < 2


@given(strata=strata_lists, seed=st.integers(0, 2**32), data=st.data())
def test_smaller_subset_lies_in_the_larger(strata, seed, data):
    """With one seed, n=100 is part of n=200."""
    larger = data.draw(st.integers(1, len(strata)))
    smaller = data.draw(st.integers(1, larger))
    assert set(choose(strata, smaller, seed)) <= set(choose(strata, larger, seed))


def test_subset_is_pinned():
    """The subset is part of a published number: the same on every machine and numpy, and never the first n."""
    assert choose(["a", "b"] * 10, 6, 0) == PINNED_0
    assert choose(["a", "b"] * 10, 6, 1) == PINNED_1
    assert PINNED_0 != PINNED_1


def test_every_sample_is_chosen_equally_often():
    """Over many seeds each of 12 samples in unequal strata is taken in a third of the draws (n=4), within 5 sigma."""
    strata = ["a"] * 7 + ["b"] * 4 + ["c"]
    counts = Counter(i for seed in range(3000) for i in choose(strata, 4, seed))
    assert all(abs(counts[i] - 1000) < 5 * (3000 * 2 / 9) ** 0.5 for i in range(12))


def test_plan_keeps_order_and_cuts_batches(toysource):
    plan = make_plan(toysource(10), SuiteReference(name="toy", version=1), 4)
    assert [len(batch) for batch in plan.batches] == [4, 4, 2]
    assert sum(plan.batches, ()) == plan.ids == toysource(10).ids


def test_plan_of_a_subset_names_it(toysource):
    plan = make_plan(toysource(30), SuiteReference(name="toy", version=1, limit=9, seed=3), 4)
    assert str(plan.reference) == "toy@1#n=9,seed=3"
    assert list(plan.ids) == sorted(plan.ids)
    assert Counter(toysource(30).stratum(i) for i in plan.ids) == {"light-0": 3, "light-1": 3, "light-2": 3}


@pytest.mark.parametrize("limit", [10, 11])
def test_limit_that_selects_everything_is_no_subset(toysource, limit):
    """Such a run belongs into the column of the full split."""
    plan = make_plan(toysource(10), SuiteReference(name="toy", version=1, limit=limit, seed=5), 4)
    assert str(plan.reference) == "toy@1"


def test_empty_split_measures_nothing(toysource):
    with pytest.raises(NothingMeasured, match="no sample in this split"):
        make_plan(toysource(0), SuiteReference(name="toy", version=1), 4)


def test_repeated_id_is_refused(toysource):
    class Twice(toysource):
        ids = ("s001", "s002", "s001")

    with pytest.raises(LoadError, match="'s001' twice"):
        make_plan(Twice(), SuiteReference(name="toy", version=1), 4)


def _key(source, limit=None, seed=0, batch_size=4, **identity):
    plan = make_plan(source, SuiteReference(name="toy", version=1, limit=limit, seed=seed), batch_size)
    return resume_key(plan, source, {"weights": "w0", **identity})


def test_resume_key_is_the_same_for_the_same_run(toysource):
    assert _key(toysource(10)) == _key(toysource(10))


def test_resume_key_sees_every_change(toysource):
    """A touched file, other weights, another batch size, a subset, another number of samples: all keys differ."""
    keys = [
        _key(toysource(10)),
        _key(toysource(11)),
        _key(toysource(10, stamps={"s007": "2"})),
        _key(toysource(10), weights="w1"),
        _key(toysource(10), batch_size=5),
        _key(toysource(10), limit=5),
        _key(toysource(10), limit=5, seed=1),
    ]
    assert len(set(keys)) == len(keys)
