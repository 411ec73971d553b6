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
