"""Random streams: pinned words, keyed permutations, integer maps."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mmbench.sources.scenes import SPEC_VERSION
from mmbench.sources.scenes.stream import Draws, permutation, raw_words


def test_words_are_pinned() -> None:
    """The stream of a purpose is the same on every platform, Python and numpy (spec version 1)."""
    assert SPEC_VERSION == 1
    assert raw_words(2, "seg", "X", "test", "item", 0).tolist() == [0x87B91D4B29143, 0x693CDBB89A658024]


def test_a_longer_stream_starts_with_the_shorter() -> None:
    assert raw_words(9, "a").tolist()[:4] == raw_words(4, "a").tolist()


def test_purposes_do_not_share_words() -> None:
    streams = [raw_words(8, *purpose) for purpose in (("a", 1), ("a", 2), ("b", 1), ("a", "1", 1))]
    assert len({word for words in streams for word in words.tolist()}) == 32


@given(count=st.integers(1, 300), key=st.integers(0, 10**6))
def test_permutation_holds_each_position_once(count: int, key: int) -> None:
    assert np.array_equal(np.sort(permutation(count, key)), np.arange(count))


@given(low=st.integers(-50, 50), width=st.integers(0, 100), key=st.integers(0, 10**6))
def test_between_stays_in_its_range(low: int, width: int, key: int) -> None:
    draws = Draws(16, key)
    assert all(low <= draws.between(low, low + width) <= low + width for _ in range(16))


def test_below_is_uniform() -> None:
    """Chi-square of 7,000 draws over 7 values stays under its 99.9% point for 6 degrees of freedom."""
    draws = Draws(7_000, "uniform")
    counts = np.bincount([draws.below(7) for _ in range(7_000)], minlength=7)
    assert ((counts - 1_000) ** 2 / 1_000).sum() < 22.5
