"""Exact and score methods of shares against scipy, published tables and brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, stats

from mmbench.stats.proportions import (
    clopper_pearson_interval,
    mcnemar_one_sided_p,
    mcnemar_p,
    tango_bound,
    tango_exact_p,
    tango_interval,
    tango_p,
    tango_score,
    wilson_interval,
)

COUNTS = st.tuples(st.integers(0, 30), st.integers(0, 30), st.integers(1, 40)).map(lambda t: (t[0], t[1], sum(t)))


@given(st.integers(1, 300), st.data(), st.sampled_from([0.8, 0.95, 0.99]))
def test_single_shares_are_those_of_scipy(trials: int, data: st.DataObject, level: float) -> None:
    """Clopper-Pearson and Wilson as scipy's binomtest gives them."""
    successes = data.draw(st.integers(0, trials))
    test = stats.binomtest(successes, trials)
    for method, ours in (("exact", clopper_pearson_interval), ("wilson", wilson_interval)):
        theirs = test.proportion_ci(level, method)
        assert ours(successes, trials, level).bounds == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_published_intervals() -> None:
    """Examples of Fagerland, Lydersen and Laake 2017, as their R package contingencytables prints them."""
    assert clopper_pearson_interval(13, 16, 0.95).bounds == pytest.approx((0.5435, 0.9595), abs=5e-5)
    assert tango_interval(6, 16, 161, 0.95).bounds == pytest.approx((-0.1240, -0.0054), abs=5e-5)
    assert mcnemar_p(6, 16) == pytest.approx(0.052479, abs=5e-7)


def test_tango_as_r_gives_it() -> None:
    """PropCIs 0.3-0: scoreci.mp(25, 28, 618, 0.90), of second - first."""
    assert tango_interval(28, 25, 618, 0.90).bounds == pytest.approx((-0.0148, 0.0247), abs=5e-5)


def test_no_samples() -> None:
    """Nothing was measured: no bounds."""
    for found in (clopper_pearson_interval(0, 0, 0.95), wilson_interval(0, 0, 0.95), tango_interval(0, 0, 0, 0.95)):
        assert (found.bounds, found.reason) == (None, "there are no samples")


@given(COUNTS, st.floats(-0.9, 0.9))
@settings(max_examples=60)
def test_the_score_uses_the_restricted_likelihood(counts: tuple[int, int, int], difference: float) -> None:
    """q found by maximising the trinomial likelihood numerically gives the same statistic."""
    first, second, pairs = counts

    def loss(q: float) -> float:
        shares = np.array([q + difference, q, 1 - 2 * q - difference])
        seen = np.array([first, second, pairs - first - second])
        return -float((seen[seen > 0] * np.log(np.maximum(shares[seen > 0], 1e-300))).sum())

    low, high = max(0.0, -difference), (1 - difference) / 2
    q = float(optimize.minimize_scalar(loss, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x)
    variance = pairs * (2 * q + difference * (1 - difference))
    if variance < 1e-6:
        return
    expected = (first - second - pairs * difference) / math.sqrt(variance)
    assert float(tango_score(first, second, pairs, difference)) == pytest.approx(expected, rel=1e-3, abs=1e-3)


@given(COUNTS, st.sampled_from([0.01, 0.05, 0.2]))
@settings(max_examples=60)
def test_bounds_solve_the_score_equation(counts: tuple[int, int, int], alpha: float) -> None:
    """At the bound the one-sided p is alpha; it lies on the right side of the estimate."""
    first, second, pairs = counts
    bound = tango_bound(first, second, pairs, alpha)
    assert (first - second) / pairs <= bound <= 1
    if bound < 1 - 1e-9:
        assert tango_p(first, second, pairs, bound) == pytest.approx(alpha, rel=1e-6)


@given(COUNTS, st.sampled_from([0.9, 0.95]))
def test_swapping_the_sides_flips_the_sign_exactly(counts: tuple[int, int, int], level: float) -> None:
    """Interval and statistic are antisymmetric to the last bit."""
    first, second, pairs = counts
    low, high = tango_interval(first, second, pairs, level).bounds
    assert tango_interval(second, first, pairs, level).bounds == (-high, -low)
    assert tango_score(first, second, pairs, 0.1) == -tango_score(second, first, pairs, -0.1)


def test_degenerate_scores() -> None:
    """No discordant sample contradicts nothing at 0; all samples lost leave no room above 1."""
    assert float(tango_score(0, 0, 50, 0.0)) == 0.0
    assert tango_interval(0, 0, 50, 0.95).bounds == pytest.approx((-0.0713, 0.0713), abs=5e-5)  # z^2 / (n + z^2)
    assert tango_interval(9, 0, 9, 0.95).bounds[1] == pytest.approx(1.0)


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_the_binomial_test(first: int, second: int) -> None:
    """scipy's exact binomial test of the discordant pairs; none discordant is p = 1."""
    if first + second == 0:
        assert mcnemar_p(0, 0) == 1.0
        return
    theirs = stats.binomtest(first, first + second)
    assert mcnemar_p(first, second) == pytest.approx(theirs.pvalue, rel=1e-9)
    greater = stats.binomtest(first, first + second, alternative="greater").pvalue
    assert mcnemar_one_sided_p(first, second) == pytest.approx(greater, rel=1e-9)


def exact_by_hand(first: int, second: int, pairs: int, difference: float) -> float:
    """The largest tail of the trinomial over a fine grid of all nuisance shares, by loops."""
    observed = float(tango_score(first, second, pairs, difference))
    cells = [
        (b, c)
        for b in range(pairs + 1)
        for c in range(pairs + 1 - b)
        if float(tango_score(b, c, pairs, difference)) <= observed + 1e-9
    ]
    worst = 0.0
    for rate in np.linspace(abs(difference), 1, 300):
        shares = [(rate + difference) / 2, (rate - difference) / 2, 1 - rate]
        p = sum(stats.multinomial.pmf([b, c, pairs - b - c], pairs, shares) for b, c in cells)
        worst = max(worst, float(p))
    return worst


@pytest.mark.parametrize(
    ("first", "second", "pairs", "difference"), [(0, 4, 12, -0.05), (1, 3, 12, 0.0), (2, 0, 10, 0.3), (0, 2, 12, 0.02)]
)
def test_the_exact_p_is_the_largest_tail(first: int, second: int, pairs: int, difference: float) -> None:
    """Against a loop over every table; the search inside the Clopper-Pearson interval loses nothing to speak of."""
    found = tango_exact_p(first, second, pairs, difference)
    assert found == pytest.approx(exact_by_hand(first, second, pairs, difference), rel=0.02, abs=2e-3)


@pytest.mark.parametrize(("pairs", "margin", "gains"), [(200, 0.01, 0.01), (100, 0.01, 0.002), (50, 0.005, 0.04)])
def test_the_exact_test_keeps_its_level(pairs: int, margin: float, gains: float) -> None:
    """Where the score test finds more than 5 % (up to 6.8), the exact one does not; by summing over all tables."""
    cells = [(b, c) for b in range(25) for c in range(25) if b + c < 25]
    shares = [margin + gains, gains, 1 - margin - 2 * gains]
    chances = [stats.multinomial.pmf([b, c, pairs - b - c], pairs, shares) for b, c in cells]
    level = sum(p for (b, c), p in zip(cells, chances, strict=True) if tango_exact_p(c, b, pairs, -margin) <= 0.05)
    assert level <= 0.05
