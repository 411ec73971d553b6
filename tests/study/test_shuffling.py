"""The shuffled control: what it keeps, and what it takes away."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mmbench.study.shuffling import shuffled_within


@given(arrays(np.int64, st.integers(0, 60), elements=st.integers(-1, 4)), st.text(max_size=5))
def test_it_is_a_permutation_inside_each_label(labels: np.ndarray, name: str) -> None:
    """Each place is used once, and the label of a place and of its source are the same."""
    found = shuffled_within(labels, name)
    assert sorted(found) == list(range(len(labels)))
    assert (labels[found] == labels).all()


def test_the_pairing_is_lost_and_the_margins_stay() -> None:
    """y = (a + b) mod 4: given y, a told b; afterwards it tells nothing, while b is distributed as before."""
    random = np.random.default_rng(0)
    a, b = random.integers(0, 4, (2, 20_000))
    labels = (a + b) % 4
    shuffled = b[shuffled_within(labels, "test")]
    for label in range(4):
        here = labels == label
        assert (np.sort(shuffled[here]) == np.sort(b[here])).all()
        table = np.histogram2d(a[here], shuffled[here], bins=4)[0] / here.sum()
        assert np.abs(table - 1 / 16).max() < 0.01


def test_the_name_draws() -> None:
    labels = np.zeros(100, dtype=np.int64)
    assert (shuffled_within(labels, "a") == shuffled_within(labels, "a")).all()
    assert (shuffled_within(labels, "a") != shuffled_within(labels, "b")).any()
