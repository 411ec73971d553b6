"""Detectable effects and needed groups against published figures, each other and simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.stats.power import (
    discordance_error,
    groups_to_decide,
    groups_to_detect,
    minimal_detectable_effect,
    power_to_decide,
)


@pytest.mark.parametrize(
    ("pairs", "effect", "corrected"), [(250, 0.079, 0.103), (1000, 0.040, 0.052), (4000, 0.020, 0.026)]
)
def test_effects_at_a_fifth_discordant(pairs: int, effect: float, corrected: float) -> None:
    """(1.960 + 0.842) sqrt(0.2 / n), and with alpha / 10 as Holm's first step has it."""
    error = discordance_error(0.2, pairs)
    assert minimal_detectable_effect(error) == pytest.approx(effect, abs=5e-4)
    assert minimal_detectable_effect(error, alpha=0.005) == pytest.approx(corrected, abs=5e-4)


def test_the_error_of_paired_shares() -> None:
    """sd of b's and c's as +1 and -1, over sqrt(n)."""
    values = np.array([1.0] * 30 + [-1.0] * 10 + [0.0] * 160)
    assert discordance_error(0.2, 200, 0.1) == pytest.approx(values.std() / math.sqrt(200))


@given(st.floats(1e-4, 0.1), st.integers(10, 10_000), st.floats(1e-3, 0.2), st.sampled_from([0.05, 0.001]))
def test_needed_groups_have_the_power(error: float, groups: int, effect: float, alpha: float) -> None:
    """With that many groups the effect is found and the gate decides, with one fewer not."""
    needed = groups_to_detect(error, groups, effect, alpha=alpha)
    spread = error * math.sqrt(groups)
    assert minimal_detectable_effect(spread / math.sqrt(needed), alpha=alpha) <= effect * (1 + 1e-9)
    decide = groups_to_decide(error, groups, 0.0, effect, alpha=alpha, power=0.9)
    assert power_to_decide(spread / math.sqrt(decide), 0.0, effect, alpha=alpha) >= 0.9 - 1e-9
    if needed > 2:
        assert minimal_detectable_effect(spread / math.sqrt(needed - 1), alpha=alpha) >= effect * (1 - 1e-9)
    if decide > 2:
        assert (
            minimal_detectable_effect(spread / math.sqrt(needed - 1), alpha=alpha) >= effect * (1 - 1e-9) or needed == 2
        )
        assert power_to_decide(spread / math.sqrt(decide - 1), 0.0, effect, alpha=alpha) <= 0.9 + 1e-9


def test_the_honest_limit() -> None:
    """8 % discordant, margin one point, no true change: 1,000 pairs pass some 3 in 10 times, and 5,000 mostly."""
    error = discordance_error(0.08, 1000)
    assert power_to_decide(error, 0.0, 0.01) == pytest.approx(0.30, abs=0.01)
    assert groups_to_decide(error, 1000, 0.0, 0.01) == pytest.approx(4947, abs=2)


def test_simulated_power() -> None:
    """2,000 gates of normal differences at the planned n: 80 % decide."""
    random = np.random.default_rng(0)
    needed = int(groups_to_decide(0.3 / math.sqrt(100), 100, 0.0, 0.05))
    samples = random.normal(0.0, 0.3, (2000, needed))
    upper = samples.mean(axis=1) + 1.6449 * samples.std(axis=1, ddof=1) / math.sqrt(needed)
    assert (upper < 0.05).mean() == pytest.approx(0.8, abs=0.03)


def test_what_no_number_decides() -> None:
    """A harm at the margin, an effect of 0: infinitely many; no spread: the fewest."""
    assert groups_to_decide(0.1, 50, 0.02, 0.02) == math.inf
    assert groups_to_detect(0.1, 50, 0.0) == math.inf
    assert groups_to_decide(0.0, 50, 0.0, 0.02) == 2
    assert power_to_decide(0.0, 0.0, 0.02) == 1.0
    assert power_to_decide(0.0, 0.02, 0.02) == 0.05
