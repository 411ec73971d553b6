"""Sign flips and swaps against brute force, scipy, and their own laws."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mmbench.stats import permutation
from mmbench.stats.permutation import (
    TypicalValues,
    is_exact,
    permutation_p,
    sign_flip_p,
    swapped_sums,
    swaps,
)

ALTERNATIVES = ("two-sided", "greater", "less")
FROZEN = [[0, 0, 1, 0, 0, 0, 1, 1], [1, 1, 1, 0, 1, 0, 1, 0], [1, 0, 1, 0, 1, 0, 0, 0]]
DIFFERENCES = st.lists(st.integers(-20, 20), min_size=1, max_size=8)


def all_swaps(groups: int, draws: int, seed: int, **options: int) -> np.ndarray:
    return np.concatenate(list(swaps(groups, draws, seed, **options)))


def brute(differences: list[int], shift: float, alternative: str) -> float:
    """The share of all sign patterns whose sum of (d - shift) is at least as extreme."""
    centred = np.array(differences) - shift
    observed = centred.sum()
    sums = np.array([(np.array(signs) * centred).sum() for signs in product((1, -1), repeat=len(centred))])
    if alternative == "two-sided":
        return float((np.abs(sums) >= abs(observed) - 1e-9).mean())
    return float((sums >= observed - 1e-9).mean() if alternative == "greater" else (sums <= observed + 1e-9).mean())


def test_the_stream_of_swaps_is_frozen() -> None:
    """These patterns define every Monte Carlo p-value."""
    assert all_swaps(8, 3, 0).astype(int).tolist() == FROZEN


def test_all_patterns_once() -> None:
    """Exact: every pattern of five groups, the identity first."""
    patterns = all_swaps(5, 32, 0)
    assert len({tuple(p) for p in patterns.tolist()}) == 32
    assert not patterns[0].any()
    assert is_exact(5, 32)
    assert not is_exact(5, 31)
    assert not is_exact(64, 10_000)


@given(st.integers(14, 150), st.integers(1, 20), st.integers(0, 2**64 - 1), st.integers(1, 400))
@settings(max_examples=40)
def test_random_swaps_do_not_depend_on_chunks(groups: int, draws: int, seed: int, chunk: int) -> None:
    """Draw i is the same whatever the chunks and the number of draws."""
    patterns = all_swaps(groups, draws, seed, chunk=chunk)
    np.testing.assert_array_equal(patterns, all_swaps(groups, draws + 5, seed)[:draws])
    assert patterns.shape == (draws, groups)


def test_swaps_are_fair_and_independent() -> None:
    """Each group is swapped in half of the draws, and pairs of groups are uncorrelated."""
    patterns = all_swaps(70, 6000, 1)
    assert np.abs(patterns.mean(axis=0) - 0.5).max() < 4.5 * 0.5 / math.sqrt(6000)
    off = np.corrcoef(patterns.T)[np.triu_indices(70, 1)]
    assert np.abs(off).max() < 5 / math.sqrt(6000)


@given(DIFFERENCES, st.sampled_from(ALTERNATIVES))
def test_exact_sign_flip_is_brute_force(differences: list[int], alternative: str) -> None:
    """The share of all patterns."""
    found = sign_flip_p(np.array(differences, np.float64), alternative=alternative)
    assert found == pytest.approx(brute(differences, 0.0, alternative))


@pytest.mark.parametrize("alternative", ALTERNATIVES)
def test_sign_flip_is_that_of_scipy(alternative: str) -> None:
    """scipy's permutation_test of paired samples, exact for 10 groups."""
    random = np.random.default_rng(0)
    first, second = random.normal(0.4, 1, 10), random.normal(0, 1, 10)
    theirs = stats.permutation_test(
        (first, second),
        lambda x, y, axis: (x - y).mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        alternative=alternative,
        n_resamples=np.inf,
    )
    assert sign_flip_p(first - second, alternative=alternative) == pytest.approx(theirs.pvalue)


def test_monte_carlo_is_near_the_exact_one() -> None:
    """Eleven groups by 1,000 draws against all 2,048 patterns; the seed decides."""
    differences = np.random.default_rng(1).normal(0.5, 1, 11)
    exact = sign_flip_p(differences)
    drawn = sign_flip_p(differences, draws=2000, seed=3)
    assert drawn == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / 2000))
    assert drawn == sign_flip_p(differences, draws=2000, seed=3)
    assert drawn != sign_flip_p(differences, draws=2000, seed=4)


def test_monte_carlo_is_never_zero() -> None:
    """(b + 1) / (m + 1): a difference beyond all draws has p = 1 / (m + 1)."""
    assert permutation_p(5.0, np.zeros(999), exact=False) == 0.001
    assert permutation_p(5.0, np.array([5.0, -5.0, 1.0, 0.0]), exact=True) == 0.5
    assert permutation_p(-5.0, np.array([5.0, -5.0, 1.0, 0.0]), exact=True, alternative="less") == 0.25


def test_rounding_parts_no_ties() -> None:
    """A small observed difference among large ones: replicates equal but for the last bits of these are ties."""
    assert permutation_p(1e-6, np.array([1e-6 - 1e-17, 0.3, -0.3, 0.0]), exact=True) == 0.75


def test_what_is_undefined_proves_nothing() -> None:
    """An undefined observation has p 1, an undefined replicate counts as extreme."""
    assert permutation_p(math.nan, np.zeros(9), exact=False) == 1.0
    assert permutation_p(1.0, np.array([math.nan, 0.0, 0.0]), exact=False) == 0.5


@given(st.integers(0, 100), st.booleans())
@settings(max_examples=25)
def test_swapped_sums_are_a_loop(seed: int, narrow: bool) -> None:
    """Each draw exchanges the rows of the swapped groups between the sides; the total never changes."""
    random = np.random.default_rng(seed)
    first, second = random.integers(0, 50, (2, 15, 4 if narrow else 30))
    patterns = all_swaps(15, 40, seed)
    ones, others = (np.concatenate(parts) for parts in zip(*swapped_sums(first, second, 40, seed), strict=True))
    for pattern, one, other in zip(patterns, ones, others, strict=True):
        swap = pattern.astype(bool)[:, None]
        np.testing.assert_array_equal(one, np.where(swap, second, first).sum(axis=0))
        np.testing.assert_array_equal(other, np.where(swap, first, second).sum(axis=0))


def test_chunks_of_swapped_sums_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wide rows come in more chunks, of the same numbers."""
    first, second = np.random.default_rng(0).integers(0, 9, (2, 20, 100))
    whole = np.concatenate([one for one, _ in swapped_sums(first, second, 50, 1)])
    monkeypatch.setattr(permutation, "_CHUNK", 400)
    chunks = [one for one, _ in swapped_sums(first, second, 50, 1)]
    assert len(chunks) >= 12
    np.testing.assert_array_equal(np.concatenate(chunks), whole)


@given(DIFFERENCES, st.integers(-20, 20))
def test_typical_values_are_the_sign_flip_test(differences: list[int], shift: int) -> None:
    """p_above(d) and p_below(d) are the one-sided sign-flip tests of a mean of d, by brute force."""
    typical = TypicalValues.of(np.array(differences, np.float64), np.ones(len(differences)))
    assert typical.p_above(shift) == pytest.approx(brute(differences, shift, "greater"))
    assert typical.p_below(shift) == pytest.approx(brute(differences, shift, "less"))


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=9), st.sampled_from([0.01, 0.05, 0.1, 0.25]))
def test_typical_bounds_invert_the_test(differences: list[float], alpha: float) -> None:
    """Just inside the bound the p is over alpha, just outside at most alpha; few groups give no bound."""
    typical = TypicalValues.of(differences, np.ones(len(differences)))
    low, high = typical.bound(alpha, "lower"), typical.bound(alpha, "upper")
    if 2 ** len(differences) * alpha < 1 - 1e-9:
        assert (low, high) == (-math.inf, math.inf)
        return
    assert typical.p_above(low + 1e-6) > alpha
    assert typical.p_above(low - 1e-6) <= alpha
    assert typical.p_below(high - 1e-6) > alpha
    assert typical.p_below(high + 1e-6) <= alpha


def test_typical_values_of_a_ratio() -> None:
    """Groups of unequal size: the means of subsets are sums over sizes."""
    typical = TypicalValues.of([2.0, 6.0], np.array([1.0, 2.0]))
    assert typical.means.tolist() == pytest.approx([2.0, 8 / 3, 3.0])


def test_bounds_of_many_groups_are_near_students() -> None:
    """200 normal differences: the sign-flip bounds are those of the t test up to the noise of the draws."""
    differences = np.random.default_rng(2).normal(1, 1, 200)
    typical = TypicalValues.of(differences, np.ones(200))
    student = stats.ttest_1samp(differences, 0).confidence_interval(0.9)
    assert typical.bound(0.05, "lower") == pytest.approx(student.low, abs=0.01)
    assert typical.bound(0.05, "upper") == pytest.approx(student.high, abs=0.01)
