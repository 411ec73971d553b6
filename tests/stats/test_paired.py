"""The paired difference: its standard error, its p-value, its false alarms."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from mmbench.stats.jackknife import Jackknife
from mmbench.stats.paired import jackknife_difference, paired_difference
from mmbench.stats.resampling import draw_weights


def mean_draws(first: np.ndarray, second: np.ndarray, draws: int = 1000, seed: int = 0) -> tuple:
    groups = len(first)
    weights = np.concatenate(list(draw_weights(groups, draws, seed))) / groups
    return weights @ first, weights @ second


def difference_of_means(first: np.ndarray, second: np.ndarray, draws: int = 1000):
    sides = mean_draws(first, second, draws)
    return paired_difference(float(first.mean()), float(second.mean()), sides, len(first))


@pytest.mark.parametrize("groups", [8, 40, 500])
def test_equals_the_paired_t_test_of_means(groups: int) -> None:
    """For a mean the standard error and p are those of the paired t-test, up to the noise of the draws."""
    random = np.random.default_rng(groups)
    first = random.normal(0.5, 0.1, groups)
    second = first + random.normal(0.05 / math.sqrt(groups), 0.08, groups)
    found = difference_of_means(first, second, draws=20_000)
    expected = stats.ttest_rel(first, second)
    assert found.value == pytest.approx((first - second).mean())
    assert found.error == pytest.approx((first - second).std(ddof=1) / math.sqrt(groups), rel=0.02)
    assert found.p == pytest.approx(max(float(expected.pvalue), 2.0 ** (1 - groups)), rel=0.1, abs=0.005)


@pytest.mark.parametrize("groups", [8, 60])
def test_false_alarms(groups: int) -> None:
    """Of 1,000 pairs without a difference about 5 % have p <= 0.05, also with eight groups."""
    random = np.random.default_rng(1)
    weights = np.concatenate(list(draw_weights(groups, 500, 0))) / groups
    alarms = 0
    for _ in range(1000):
        first = random.random(groups)
        second = first + random.normal(0, 0.1, groups)
        sides = (weights @ first, weights @ second)
        alarms += paired_difference(float(first.mean()), float(second.mean()), sides, groups).p <= 0.05
    assert 30 <= alarms <= 70


def test_swapping_the_sides_changes_the_sign_alone() -> None:
    """p and error are symmetric, the value is antisymmetric."""
    random = np.random.default_rng(2)
    first, second = random.random(30), random.random(30)
    a, b = difference_of_means(first, second), difference_of_means(second, first)
    assert (a.value, a.error, a.p) == pytest.approx((-b.value, b.error, b.p))


def test_no_difference_is_exactly_that() -> None:
    """A side against itself: p = 1, whatever the rounding."""
    same = np.random.default_rng(3).random(20)
    assert difference_of_means(same, same).p == 1.0
    assert difference_of_means(same, same + 1e-16).p == 1.0


@pytest.mark.parametrize("spread", [0.0, 1e-6])
def test_a_difference_that_hardly_varies(spread: float) -> None:
    """All eight groups say the same: the p of the sign-flip test, 2 of 2**8, and no less."""
    base = np.random.default_rng(4).random(8)
    found = difference_of_means(base, base + 0.25 + spread * base)
    assert found.p == 2.0**-7
    assert found.error == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("value", "draws", "groups"),
    [(math.nan, [0.1, 0.2, 0.3], 9), (0.4, [0.1, 0.2, 0.3], 1), (0.4, [math.nan, math.nan, 0.3], 9)],
)
def test_where_nothing_can_be_said(value: float, draws: list[float], groups: int) -> None:
    """An undefined score, one group, undefined draws: p = 1, no claim."""
    found = paired_difference(value, 0.1, (np.array(draws), np.zeros(3)), groups)
    assert found.p == 1.0
    assert math.isnan(found.error)


def jackknife_of(values: np.ndarray) -> Jackknife:
    left_out = (values.sum() - values) / (len(values) - 1)
    return Jackknife(float(values.mean()), left_out)


@pytest.mark.parametrize("groups", [8, 40, 500])
def test_the_jackknife_difference_is_the_paired_t_test(groups: int) -> None:
    """For means value, error and p are exactly those of scipy's paired t-test (but for the floor of p)."""
    random = np.random.default_rng(groups)
    first = random.normal(0.5, 0.1, groups)
    second = first + random.normal(0.01, 0.08, groups)
    found = jackknife_difference(jackknife_of(first), jackknife_of(second))
    expected = stats.ttest_rel(first, second)
    assert found.value == pytest.approx(float((first - second).mean()))
    assert found.error == pytest.approx(float((first - second).std(ddof=1)) / math.sqrt(groups), rel=1e-9)
    assert found.p == pytest.approx(max(float(expected.pvalue), 2.0 ** (1 - groups)), rel=1e-6)


def test_the_jackknife_difference_flips_its_sign_exactly() -> None:
    """Swapping the sides changes the sign of the value and nothing else; a side against itself has p = 1."""
    random = np.random.default_rng(6)
    first, second = jackknife_of(random.random(30)), jackknife_of(random.random(30))
    forth, back = jackknife_difference(first, second), jackknife_difference(second, first)
    assert (forth.value, forth.error, forth.p) == (-back.value, back.error, back.p)
    same = jackknife_difference(first, first)
    assert (same.value, same.error, same.p) == (0.0, 0.0, 1.0)


def test_an_undefined_jackknife_claims_nothing() -> None:
    """A left-out value that is undefined, or one group: p = 1 and no error."""
    broken = Jackknife(0.5, np.array([0.5, math.nan, 0.4]))
    for first in (broken, Jackknife(0.5, np.array([0.5]))):
        found = jackknife_difference(first, first)
        assert found.p == 1.0
        assert math.isnan(found.error)
