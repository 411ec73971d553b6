"""Corrections against their definitions and scipy."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mmbench.stats.multiple import benjamini_hochberg, holm, holm_levels, sequential_p

P_VALUES = st.lists(st.sampled_from([0.0, 0.001, 0.01, 0.02, 0.05, 0.3, 0.9, 1.0]) | st.floats(0, 1), max_size=9)


def step_down(p_values: list[float], alpha: float) -> list[bool]:
    """Holm 1979: go up the sorted p-values and stop at the first above alpha / (m - i)."""
    rejected = [False] * len(p_values)
    for i, k in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if (len(p_values) - i) * p_values[k] > alpha:
            break
        rejected[k] = True
    return rejected


@given(P_VALUES, st.sampled_from([0.01, 0.05, 0.1, 0.5]))
def test_rejects_what_the_step_down_procedure_rejects(p_values: list[float], alpha: float) -> None:
    """Adjusted p <= alpha exactly where the procedure rejects."""
    assert (holm(np.array(p_values)) <= alpha).tolist() == step_down(p_values, alpha)


@given(P_VALUES)
def test_adjusted_values(p_values: list[float]) -> None:
    """Slow reference: the largest (m - rank) p among the p-values that are not larger, at most 1."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    slow = [0.0] * len(p_values)
    for i, k in enumerate(order):
        slow[k] = min(1.0, max((len(p_values) - j) * p_values[order[j]] for j in range(i + 1)))
    assert holm(np.array(p_values)).tolist() == pytest.approx(slow, abs=1e-15)


def test_a_worked_example() -> None:
    """The example of R's p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm")."""
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])


def step_up(p_values: list[float], alpha: float) -> list[bool]:
    """Benjamini and Hochberg 1995: reject up to the largest i with p_(i) <= i alpha / m."""
    m, order = len(p_values), sorted(range(len(p_values)), key=p_values.__getitem__)
    largest = max((i for i in range(1, m + 1) if p_values[order[i - 1]] * m / i <= alpha), default=0)
    return [k in order[:largest] for k in range(m)]


@given(P_VALUES, st.sampled_from([0.01, 0.05, 0.1, 0.5]))
def test_bh_rejects_what_the_step_up_procedure_rejects(p_values: list[float], alpha: float) -> None:
    """Adjusted p <= alpha where the procedure rejects (ties are rejected together)."""
    found = (benjamini_hochberg(np.array(p_values)) <= alpha).tolist()
    rejected = [p for p, r in zip(p_values, step_up(p_values, alpha), strict=True) if r]
    assert found == [p <= max(rejected, default=-1.0) for p in p_values]


@given(P_VALUES.filter(bool))
def test_bh_is_that_of_scipy(p_values: list[float]) -> None:
    """scipy.stats.false_discovery_control."""
    assert benjamini_hochberg(np.array(p_values)).tolist() == pytest.approx(
        stats.false_discovery_control(p_values).tolist(), abs=1e-15
    )


@given(P_VALUES.filter(bool), st.randoms(use_true_random=False))
def test_order_does_not_matter(p_values: list[float], random: Random) -> None:
    """Both corrections go with their hypotheses."""
    order = list(range(len(p_values)))
    random.shuffle(order)
    values = np.array(p_values)
    for correct in (holm, benjamini_hochberg):
        np.testing.assert_array_equal(correct(values[order]), correct(values)[order])


@given(P_VALUES.filter(bool), st.sampled_from([0.05, 0.2]))
def test_levels_show_the_decisions_of_holm(p_values: list[float], alpha: float) -> None:
    """A hypothesis is rejected exactly where its own p is at most its level; no level is below alpha / m."""
    values = np.array(p_values)
    levels = holm_levels(values, alpha)
    assert ((values <= levels) == (holm(values) <= alpha)).all()
    assert levels.min() == pytest.approx(alpha / len(values))
    assert levels.max() <= alpha


def test_levels_of_an_example() -> None:
    """Of four, two are rejected, at alpha / 4 and alpha / 3; the rest stand at alpha / 2."""
    found = holm_levels(np.array([0.3, 0.001, 0.2, 0.01]), 0.06)
    assert found.tolist() == pytest.approx([0.03, 0.015, 0.03, 0.02])


def test_several_looks() -> None:
    """min p_k / w_k, at most 1; a look without a share is an error."""
    shares = np.array([0.1, 0.2, 0.7])
    assert sequential_p(np.array([0.02, 0.01]), shares) == pytest.approx(0.05)
    assert sequential_p(np.array([0.9]), shares) == 1.0
    for bad in (np.array([0.5]), np.array([0.5, 0.0]), np.array([0.9, 0.9])):
        with pytest.raises(ValueError, match="looks"):
            sequential_p(np.array([0.02, 0.01]), bad)
