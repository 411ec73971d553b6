"""The learning rate and the moments of validation."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.models.recipe import Recipe


@given(st.integers(1, 300), st.integers(1, 40))
def test_the_last_weights_are_always_a_candidate(steps: int, validations: int) -> None:
    """As many validations as asked for (or one a step), the last one at the end."""
    recipe = Recipe(steps=steps, batch_size=1, rate=1, validations=validations)
    moments = [step for step in range(steps) if recipe.validates_after(step)]
    assert len(moments) == min(steps, validations)
    assert moments[-1] == steps - 1


@given(st.integers(2, 500))
def test_the_rate_rises_then_falls(steps: int) -> None:
    """Warm-up to the highest rate, then a cosine to almost nothing; never 0, never above."""
    recipe = Recipe(steps=steps, batch_size=1, rate=0.1)
    rates = [recipe.rate_at(step) for step in range(steps)]
    top = rates.index(max(rates))
    assert max(rates) == pytest.approx(0.1)
    assert rates[: top + 1] == sorted(rates[: top + 1])
    assert rates[top:] == sorted(rates[top:], reverse=True)
    assert min(rates) > 0


def test_halfway_through_the_cosine_is_half_the_rate() -> None:
    recipe = Recipe(steps=101, batch_size=1, rate=1, warmup=0.01)
    assert recipe.rate_at(51) == pytest.approx(0.5)
