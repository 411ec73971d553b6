"""Training seeds crossed with samples: the analysis of variance, and the crossed bootstrap."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mmbench.stats.intervals import student_interval
from mmbench.stats.jackknife import Jackknife, leave_one_out
from mmbench.stats.power import minimal_detectable_effect
from mmbench.stats.seeds import TwoWay, crossed_replicates, seed_weights, superiority, two_way


def means(values: np.ndarray) -> list[Jackknife]:
    """Each row of values [K,G] a seed whose score is the mean."""
    tables = [np.stack([row, np.ones(len(row))], axis=1) for row in values]
    return [
        Jackknife(float(row.mean()), (lambda s: s[:, 0] / s[:, 1])(leave_one_out(t)))
        for row, t in zip(values, tables, strict=True)
    ]


def made(seeds: int, groups: int, spread: float, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    parts = random.normal(0, spread, (seeds, 1)), random.normal(0, 1, groups), random.normal(0, 0.5, (seeds, groups))
    return parts[0] + parts[1] + parts[2]


def test_means_are_the_two_way_analysis_of_variance() -> None:
    """(MS_seed + MS_group - MS_error) / (K G), the mean squares by their textbook sums."""
    values = made(5, 40, 1.0)
    grand = values.mean()
    seed_square = 40 * np.square(values.mean(axis=1) - grand).sum() / 4
    group_square = 5 * np.square(values.mean(axis=0) - grand).sum() / 39
    residual = values - values.mean(axis=1, keepdims=True) - values.mean(axis=0) + grand
    error_square = np.square(residual).sum() / (4 * 39)
    found = two_way([means(values)], [1.0])
    assert found.value == pytest.approx(grand)
    assert found.error == pytest.approx(math.sqrt((seed_square + group_square - error_square) / 200), rel=1e-9)
    total = (seed_square + group_square) ** 2
    assert found.degrees == pytest.approx(total / (seed_square**2 / 4 + group_square**2 / 39), rel=1e-9)


def test_equal_seeds_leave_the_samples_alone() -> None:
    """K copies of one training: the jackknife of the samples and no less."""
    values = np.tile(made(1, 30, 0.0), (4, 1))
    found = two_way([means(values)], [1.0])
    assert found.error == pytest.approx(values[0].std(ddof=1) / math.sqrt(30))
    assert found.degrees == pytest.approx(29)


def test_samples_without_spread_leave_the_seeds_alone() -> None:
    """Every sample alike: the standard error of the mean of K seeds, K - 1 degrees of freedom."""
    scores = np.array([0.4, 0.5, 0.7])
    found = two_way([means(np.tile(scores[:, None], 20))], [1.0])
    assert found.error == pytest.approx(scores.std(ddof=1) / math.sqrt(3))
    assert found.degrees == pytest.approx(2)


def test_a_difference_cancels_the_samples() -> None:
    """Two sides on the same samples: their common difficulty is in neither part; swapping flips the sign exactly."""
    both = made(8, 60, 0.1)
    first, second = means(both[:4]), means(both[4:])
    forth, back = two_way([first, second], [1.0, -1.0]), two_way([second, first], [1.0, -1.0])
    assert forth.error < 0.7 * two_way([first], [1.0]).error
    assert forth.value == -back.value
    assert (forth.error, forth.degrees) == pytest.approx((back.error, back.degrees))


def test_too_few() -> None:
    """One seed, or one group: a value and no error; unequal groups are an error."""
    assert math.isnan(two_way([means(made(1, 30, 1.0))], [1.0]).error)
    assert math.isnan(two_way([means(made(3, 30, 1.0)), means(made(1, 30, 1.0))], [1.0, -1.0]).error)
    single = [Jackknife(0.5, np.array([0.5])), Jackknife(0.6, np.array([0.6]))]
    assert two_way([single], [1.0]).value == pytest.approx(0.55)
    assert math.isnan(two_way([single], [1.0]).error)
    with pytest.raises(ValueError, match="same groups"):
        two_way([means(made(3, 30, 1.0)), means(made(3, 20, 1.0))], [1.0, -1.0])


def test_seeds_are_drawn_apart_from_samples_and_sides() -> None:
    """Rows sum to K; the sides have streams of their own, the seed decides."""
    weights = seed_weights(4, 500, 7)
    assert (weights.sum(axis=1) == 4).all()
    assert weights.var() == pytest.approx(0.75, rel=0.1)
    np.testing.assert_array_equal(weights, seed_weights(4, 500, 7))
    assert not np.array_equal(weights, seed_weights(4, 500, 7, side=1))


def test_crossed_replicates_are_a_loop() -> None:
    """Each draw is the mean over the drawn seeds of that draw's scores."""
    values = np.random.default_rng(0).random((60, 3))
    found = crossed_replicates(values, 5, side=1)
    for row, counts, replicate in zip(values, seed_weights(3, 60, 5, side=1).astype(int), found, strict=True):
        assert replicate == pytest.approx(np.repeat(row, counts).mean())


def test_the_crossed_bootstrap_shows_both_parts() -> None:
    """Its variance is (K-1)/K of that of the seeds plus that of the samples, for a sum of both."""
    random = np.random.default_rng(1)
    seeds, samples = random.normal(0, 1, 6), random.normal(0, 0.5, 200_00)
    values = seeds + samples[:, None]
    expected = seeds.var() / 6 + 0.25
    assert crossed_replicates(values, 0).var() == pytest.approx(expected, rel=0.05)


def test_superiority_counts_pairs() -> None:
    """3 of 4 pairs won and one tied is 7/8; a side against itself is 1/2."""
    assert superiority([0.5, 0.9], [0.4, 0.5]) == pytest.approx(0.875)
    assert superiority([0.1, 0.7, 0.4], [0.1, 0.7, 0.4]) == pytest.approx(0.5)


def test_needed_groups_shrink_the_samples_part_alone() -> None:
    """With that many groups the difference is as large as what can be found; with the seeds alone it may never be."""
    found = TwoWay(0.02, 0.012, 40.0, 0.00002)
    needed = found.groups_to_detect(500)
    left = math.sqrt(found.seeds + (found.error**2 - found.seeds) * 500 / needed)
    assert minimal_detectable_effect(left, degrees=40.0) == pytest.approx(0.02, rel=1e-3)
    assert math.isinf(TwoWay(0.02, 0.012, 40.0, 0.0001).groups_to_detect(500))
    assert math.isinf(TwoWay(0.0, 0.012, 40.0, 0.0).groups_to_detect(500))


def test_the_p_value_is_students() -> None:
    """p = alpha where the interval of that level ends at 0."""
    interval = student_interval(0.03, 0.01, 7.0, 0.95).bounds
    assert interval is not None
    assert TwoWay(0.03 - interval[0], 0.01, 7.0).p == pytest.approx(0.05)
    assert TwoWay(0.0, 0.01, 7.0).p == TwoWay(0.1, math.nan, 0.0).p == 1.0
