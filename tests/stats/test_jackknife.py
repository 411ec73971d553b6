"""The jackknife: standard error, acceleration, blocks, differences."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.stats.jackknife import Jackknife, block_codes, difference, leave_one_out


def ratio(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] / sums[..., 1]


def made(groups: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.stack([random.gamma(2, 1, groups), random.integers(1, 9, groups)], axis=1)


def of(table: np.ndarray) -> Jackknife:
    return Jackknife(float(ratio(table.sum(axis=0))), ratio(leave_one_out(table)))


def test_leave_one_out_is_a_loop() -> None:
    """Row i holds the sums of all groups but i; whole numbers stay exact."""
    table = np.random.default_rng(1).integers(0, 10**12, (7, 3))
    expected = [np.delete(table, i, axis=0).sum(axis=0) for i in range(7)]
    np.testing.assert_array_equal(leave_one_out(table), np.array(expected, np.float64))


def test_the_error_of_a_mean_is_the_textbook_one() -> None:
    """s / sqrt(n), and the influences are the deviations from the mean."""
    values = np.random.default_rng(2).normal(3, 2, 40)
    found = of(np.stack([values, np.ones(40)], axis=1))
    assert found.error == pytest.approx(values.std(ddof=1) / math.sqrt(40), rel=1e-12)
    np.testing.assert_allclose(found.influences, values - values.mean(), atol=1e-10)


def test_the_error_of_a_ratio_is_its_linearisation() -> None:
    """For many groups that of the delta method, sd(y - r x) / (mean(x) sqrt(G)) (Cochran 1977, section 6.4)."""
    table = made(5000)
    found = of(table)
    residual = table[:, 0] - found.value * table[:, 1]
    assert found.error == pytest.approx(residual.std(ddof=1) / (table[:, 1].mean() * math.sqrt(5000)), rel=1e-3)


def test_acceleration_is_a_sixth_of_the_skewness() -> None:
    """Of a mean: skewness / (6 sqrt(n)); 0 without spread."""
    values = np.random.default_rng(3).exponential(1, 60)
    centred = values - values.mean()
    skewness = (centred**3).mean() / (centred**2).mean() ** 1.5
    found = of(np.stack([values, np.ones(60)], axis=1))
    assert found.acceleration == pytest.approx(skewness / (6 * math.sqrt(60)), rel=1e-9)
    assert Jackknife(0.5, np.full(9, 0.5)).acceleration == 0.0
    assert Jackknife(0.5, np.full(9, 0.5)).error == 0.0


def test_what_is_undefined_stays_undefined() -> None:
    """A left-out value that is NaN, or a single group, gives no error."""
    assert math.isnan(Jackknife(0.5, np.array([0.4, math.nan, 0.6])).error)
    assert math.isnan(Jackknife(0.5, np.array([0.4])).error)


@given(st.integers(1, 300), st.integers(1, 60), st.integers(0, 100))
def test_blocks_are_a_balanced_partition(groups: int, blocks: int, seed: int) -> None:
    """Every block occurs, sizes differ by at most 1, the seed decides."""
    codes = block_codes(groups, blocks, seed)
    sizes = np.bincount(codes)
    assert len(sizes) == min(groups, blocks)
    assert sizes.max() - sizes.min() <= 1
    np.testing.assert_array_equal(codes, block_codes(groups, blocks, seed))


def test_blocks_give_nearly_the_same_error() -> None:
    """60 blocks of 3,000 groups: the same standard error up to its own noise of 1 / sqrt(2 x 60)."""
    table = made(3000)
    codes = block_codes(3000, 60, 0)
    sums = np.stack([table[codes == b].sum(axis=0) for b in range(60)])
    assert of(sums).value == pytest.approx(of(table).value)
    assert of(sums).error == pytest.approx(of(table).error, rel=0.3)


def test_a_difference_is_paired_and_antisymmetric() -> None:
    """Common groups cancel; swapping the sides flips the sign to the last bit."""
    first, second = of(made(50, 1)), of(made(50, 1) * [1.1, 1])
    forth, back = difference(first, second), difference(second, first)
    assert forth.error < 0.2 * first.error
    assert (forth.value, forth.error, forth.acceleration) == (-back.value, back.error, -back.acceleration)
    with pytest.raises(ValueError, match="50 and 40"):
        difference(first, of(made(40)))


def test_the_order_of_the_groups_does_not_matter() -> None:
    """Permuted groups have permuted influences and the same error and acceleration."""
    table = made(40)
    order = np.random.default_rng(1).permutation(40)
    found, permuted = of(table), of(table[order])
    np.testing.assert_allclose(permuted.influences, found.influences[order], atol=1e-12)
    assert (permuted.error, permuted.acceleration) == pytest.approx((found.error, found.acceleration), rel=1e-12)


def test_a_group_counted_twice_is_a_group_of_weight_two() -> None:
    """Repetition is weight: leaving out a doubled group leaves out both copies."""
    table = made(12)
    doubled = table * np.where(np.arange(12) == 3, 2, 1)[:, None]
    copies = np.concatenate([table, table[3:4]])
    assert of(doubled).value == pytest.approx(float(ratio(copies.sum(axis=0))))
    assert of(doubled).left_out[3] == pytest.approx(float(ratio(np.delete(table, 3, axis=0).sum(axis=0))))
