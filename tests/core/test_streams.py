"""Random streams: pinned words, independent by name, nearly normal integers."""

from __future__ import annotations

import numpy as np
import pytest

from mmbench.core.streams import BELL, bell, random_words


def test_words_are_pinned():
    """The same on every platform, Python and numpy."""
    assert random_words(2, "a").tolist() == [0xDA25CF2790498753, 0xB4C96900A9D64F6B]


def test_names_do_not_share_words():
    streams = [random_words(8, name) for name in ("a", "b", "a|", "")]
    assert len({word for words in streams for word in words.tolist()}) == 32


def test_a_longer_stream_starts_with_the_shorter():
    assert random_words(9, "a").tolist()[:4] == random_words(4, "a").tolist()


def test_the_bell_is_the_sum_of_bytes_about_its_mean():
    words = np.array([0, 2**64 - 1, 0x0102030405060708], dtype=np.uint64)
    assert bell(words).tolist() == [-1020, 1020, 36 - 1020]


def test_the_bell_is_nearly_normal():
    """Deviation 209.0 (eight uniform bytes: 8 (256^2 - 1) / 12) and excess kurtosis -.15."""
    found = bell(random_words(200_000, "bell")).astype(float)
    assert np.sqrt(8 * (256**2 - 1) / 12) == pytest.approx(BELL, abs=0.05)
    assert found.std() == pytest.approx(BELL, rel=0.01)
    assert abs(found.mean()) < 4 * BELL / np.sqrt(len(found))
    assert (found**4).mean() / found.var() ** 2 - 3 == pytest.approx(-0.15, abs=0.05)
