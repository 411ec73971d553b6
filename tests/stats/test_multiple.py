"""Holm's correction against its step-down definition."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.stats.multiple import holm

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
