"""Tables, ragged ones too: selecting and joining samples is what it would be on lists."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.core.table import Ragged, check, concatenate, select, width

SAMPLES = st.lists(st.lists(st.integers(-9, 9), max_size=4), max_size=6)


def ragged(samples):
    """A table whose sample i holds one row per number."""
    numbers = np.array([[n, -n] for sample in samples for n in sample], dtype=np.int64).reshape(-1, 2)
    return Ragged(numbers, np.cumsum([0, *(len(sample) for sample in samples)]))


def listed(table):
    return [table.values[a:b, 0].tolist() for a, b in zip(table.starts[:-1], table.starts[1:], strict=True)]


@given(SAMPLES, st.data())
def test_selecting_is_indexing_a_list(samples, data):
    """With repetitions and in any order."""
    index = data.draw(st.lists(st.integers(0, len(samples) - 1), max_size=8)) if samples else []
    assert listed(select(ragged(samples), np.array(index, np.intp))) == [samples[i] for i in index]


@given(SAMPLES, SAMPLES)
def test_joining_is_joining_lists(first, second):
    assert listed(concatenate([ragged(first), ragged(second)])) == first + second


@given(SAMPLES)
def test_owners_are_the_samples(samples):
    owners = [i for i, sample in enumerate(samples) for _ in sample]
    assert ragged(samples).owners.tolist() == owners
    assert len(ragged(samples)) == len(samples)


def test_plain_tables_are_arrays():
    table = np.arange(6, dtype=np.int64).reshape(3, 2)
    assert select(table, np.array([2, 0])).tolist() == [[4, 5], [0, 1]]
    assert concatenate([table, table]).shape == (6, 2)
    assert (width(table), width(ragged([[1]]))) == (2, 2)


@pytest.mark.parametrize("starts", [[1, 2], [0, 1], [0, 2, 1, 2], []])
def test_starts_that_do_not_fit(starts):
    with pytest.raises(ValueError, match="starts must"):
        Ragged(np.zeros((2, 1)), np.array(starts, np.int64))


def test_what_is_no_table():
    with pytest.raises(ValueError, match=r"'c' is float32 \(2, 1\), expected int64 or float64"):
        check("c", np.zeros((2, 1), np.float32))
    with pytest.raises(ValueError, match="cannot be joined"):
        concatenate([ragged([[1]]), np.zeros((1, 2))])
