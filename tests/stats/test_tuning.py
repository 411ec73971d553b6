"""The expected best of k trials against going through all of them."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.stats.tuning import expected_best

SCORES = st.lists(st.sampled_from([0.1, 0.25, 0.5, 0.8, 0.95]), min_size=1, max_size=5)


@given(SCORES, st.integers(1, 4))
def test_all_draws_with_replacement(values: list[float], trials: int) -> None:
    """The mean of the best over all N**k equally likely draws, equal scores included."""
    best = [max(draw) for draw in product(values, repeat=trials)]
    assert expected_best(values, trials) == pytest.approx(np.mean(best), abs=1e-12)


def test_the_ends() -> None:
    """One trial is the mean, endless trials the best."""
    values = [0.2, 0.6, 0.7]
    assert expected_best(values, 1) == pytest.approx(0.5)
    assert expected_best(values, 10_000) == pytest.approx(0.7)


@pytest.mark.parametrize(("values", "trials"), [([], 1), ([0.5], 0), ([0.5, float("nan")], 1)])
def test_nothing_is_made_up(values: list[float], trials: int) -> None:
    with pytest.raises(ValueError, match="finite values"):
        expected_best(values, trials)
