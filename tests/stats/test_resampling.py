"""Bootstrap weights: counts, frozen stream, uniformity, exact sums."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.stats import resampling
from mmbench.stats.resampling import draw_weights, group_sums, resampled_sums

FROZEN = [[1, 0, 3, 0, 1, 1, 0, 2], [1, 0, 0, 4, 0, 1, 2, 0], [0, 3, 0, 0, 0, 2, 2, 1]]


def all_weights(groups: int, draws: int, seed: int, **options: int) -> np.ndarray:
    return np.concatenate(list(draw_weights(groups, draws, seed, **options)))


def by_bits(groups: int, draws: int, seed: int) -> list[list[int]]:
    """The map from Philox's bits to counts with Python's whole numbers."""
    key = np.array([seed, int.from_bytes(b"resample", "little")], dtype=np.uint64)
    bits = iter(np.random.Philox(key=key).random_raw(groups * draws).tolist())
    counts = [[0] * groups for _ in range(draws)]
    for row in counts:
        for _ in range(groups):
            row[(next(bits) >> 32) * groups >> 32] += 1
    return counts


def test_the_stream_is_frozen() -> None:
    """These counts define every published interval; a change of them is a new version of the method."""
    assert all_weights(8, 3, 0).tolist() == FROZEN


@given(st.integers(1, 40), st.integers(1, 30), st.integers(0, 2**64 - 1), st.integers(1, 500))
def test_weights_are_counts_of_draws(groups: int, draws: int, seed: int, chunk: int) -> None:
    """Each row sums to G, and neither the chunks nor the number of draws changes a row."""
    weights = all_weights(groups, draws, seed, chunk=chunk)
    assert weights.tolist() == by_bits(groups, draws, seed)
    assert (weights.sum(axis=1) == groups).all()
    np.testing.assert_array_equal(weights, all_weights(groups, draws + 7, seed)[:draws])


def test_draws_are_uniform() -> None:
    """Every group is drawn equally often, with the variance of a multinomial count (1 - 1/G)."""
    groups, draws = 25, 8000
    weights = all_weights(groups, draws, seed=3)
    means = weights.mean(axis=0)
    standard_error = np.sqrt((1 - 1 / groups) / draws)
    assert np.abs(means - 1).max() < 4 * standard_error
    assert weights.var() == pytest.approx(1 - 1 / groups, rel=0.03)


def test_seeds_differ() -> None:
    """Another seed is another stream."""
    assert not np.array_equal(all_weights(50, 5, 0), all_weights(50, 5, 1))


@given(st.lists(st.integers(0, 4), min_size=1, max_size=20), st.integers(1, 5))
def test_group_sums_equal_a_loop(labels: list[int], width: int) -> None:
    """Rows of a group are added, in whole numbers, whatever the order of the samples."""
    codes = np.unique(labels, return_inverse=True)[1]
    rows = np.arange(len(labels) * width, dtype=np.int64).reshape(-1, width) ** 5
    expected = np.zeros((codes.max() + 1, width), dtype=np.int64)
    np.add.at(expected, codes, rows)
    found = group_sums(rows, codes)
    assert found.dtype == np.int64
    np.testing.assert_array_equal(found, expected)


def test_a_draw_repeats_groups() -> None:
    """Integer weights are repetitions: the sums of a draw are those of the groups repeated as often as drawn."""
    table = np.random.default_rng(0).integers(0, 10**9, (12, 5))
    weights = all_weights(12, 40, seed=9).astype(np.int64)
    (sums,) = np.concatenate(list(resampled_sums([table], 40, seed=9)), axis=1)
    for counts, drawn in zip(weights, sums, strict=True):
        assert drawn.tolist() == np.repeat(table, counts, axis=0).sum(axis=0).tolist()


def test_tables_share_their_draws_and_their_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """All tables are resampled by the same counts, also where narrow chunks are needed."""
    table = np.random.default_rng(0).integers(0, 100, (6, 50))
    whole = [np.concatenate(parts) for parts in zip(*resampled_sums([table, 2 * table[:, :3]], 30, 1), strict=True)]
    monkeypatch.setattr(resampling, "_CHUNK", 120)
    chunks = list(resampled_sums([table, 2 * table[:, :3]], 30, 1))
    assert len(chunks) > 10
    for k, parts in enumerate(zip(*chunks, strict=True)):
        np.testing.assert_array_equal(np.concatenate(parts), whole[k])
    np.testing.assert_array_equal(whole[1], 2 * whole[0][:, :3])


def test_memory_is_bounded() -> None:
    """10,000 draws over 2,000 groups of 450 numbers come in chunks of at most 16 MiB of weights and of sums."""
    limit = 16 * 2**20
    first = next(draw_weights(2000, 10_000, 0))
    (sums,) = next(resampled_sums([np.zeros((20, 45_000), np.int64)], 10_000, 0))
    assert first.nbytes <= limit
    assert sums.nbytes <= limit


def test_one_stratum_is_none() -> None:
    """Strata of one kind change nothing, whatever its number."""
    np.testing.assert_array_equal(all_weights(9, 20, 3, strata=np.full(9, 7)), all_weights(9, 20, 3))


@given(st.lists(st.integers(-2, 3), min_size=1, max_size=25), st.integers(0, 1000))
def test_strata_keep_their_sizes(strata: list[int], seed: int) -> None:
    """In every draw each stratum has as many groups as it holds, and draws do not depend on the chunks."""
    codes = np.array(strata)
    weights = all_weights(len(codes), 12, seed, strata=codes)
    for stratum in set(strata):
        assert (weights[:, codes == stratum].sum(axis=1) == strata.count(stratum)).all()
    np.testing.assert_array_equal(weights, all_weights(len(codes), 12, seed, strata=codes, chunk=1))


def test_strata_are_resampled_uniformly() -> None:
    """Inside a stratum of m every group has mean 1 and the variance 1 - 1/m of a multinomial count."""
    codes = np.array([0, 1] * 10 + [1] * 20)
    weights = all_weights(40, 8000, 1, strata=codes)
    for stratum, size in ((0, 10), (1, 30)):
        part = weights[:, codes == stratum]
        assert np.abs(part.mean(axis=0) - 1).max() < 4 * np.sqrt((1 - 1 / size) / 8000)
        assert part.var() == pytest.approx(1 - 1 / size, rel=0.03)


def test_purposes_are_independent_streams() -> None:
    """Draws of another purpose are others, of the same seed."""
    assert not np.array_equal(all_weights(50, 5, 0), all_weights(50, 5, 0, purpose=1))


def test_rows_may_be_float64() -> None:
    """Scores with fractions are summed by group and by draw as whole numbers are."""
    random = np.random.default_rng(0)
    rows, codes = random.random((30, 4)), np.repeat(np.arange(10), 3)
    table = group_sums(rows, codes)
    assert table.dtype == np.float64
    np.testing.assert_allclose(table, rows.reshape(10, 3, 4).sum(axis=1), rtol=1e-15)
    (sums,) = np.concatenate(list(resampled_sums([table], 25, seed=4)), axis=1)
    for counts, drawn in zip(all_weights(10, 25, 4).astype(int), sums, strict=True):
        np.testing.assert_allclose(drawn, np.repeat(table, counts, axis=0).sum(axis=0), rtol=1e-14)


def test_both_sides_get_the_strata() -> None:
    """The sums of a stratified draw are those of its weights."""
    table = np.arange(12).reshape(6, 2)
    strata = np.array([0, 0, 1, 1, 1, 0])
    sums = np.concatenate([part[1] for part in resampled_sums([table[:, :1], table], 15, 2, strata=strata)])
    np.testing.assert_array_equal(sums, all_weights(6, 15, 2, strata=strata) @ table)
