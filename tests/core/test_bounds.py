"""phi and psi: shares of the attainable gain, and the rules for when they are not shown."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mmbench.core.bounds import SMALLEST_GAP, Bounds

SCORES = st.floats(0, 1)


def bounds(unimodal=(0.6, 0.625), fused=1.0, **fields):
    table = {f"m{i}": value for i, value in enumerate(unimodal)}
    return Bounds(metric="miou", chance=0.1, unimodal=table, fused=fused, spec_version=1, **fields)


def test_phi_is_0_at_the_best_single_modality_and_1_at_the_ceiling():
    assert bounds().phi(0.625) == 0
    assert bounds().phi(1.0) == 1
    assert bounds().phi(0.8125) == 0.5


def test_worse_than_one_sensor_is_negative_and_not_clipped():
    assert bounds().phi(0.25) == -1


@pytest.mark.parametrize("gap", [0.0, 0.02, 0.0499999])
def test_phi_is_not_shown_where_it_would_be_0_over_0(gap):
    b = bounds(unimodal=(0.5, 0.25), fused=0.5 + gap)
    assert b.phi(0.5) is None
    assert b.regret(0.25) == pytest.approx(0.25 + gap)


def test_the_smallest_gap_is_shown():
    assert SMALLEST_GAP == 0.05
    assert bounds(unimodal=(0.0,), fused=0.05).phi(0.05) == 1


@given(SCORES, SCORES, SCORES)
def test_phi_rises_with_the_score_so_that_intervals_map_end_by_end(best, low, high):
    b = bounds(unimodal=(best,), fused=1.0)
    if low <= high and b.gap >= SMALLEST_GAP:
        assert b.phi(low) <= b.phi(high)
        assert b.regret(low) >= b.regret(high)


def test_psi_needs_a_certified_additive_bound():
    assert bounds().psi(0.9) is None
    assert bounds(additive=0.75).psi(0.75) == 0
    assert bounds(additive=0.75).psi(1.0) == 1


def test_psi_is_not_shown_where_additive_rules_reach_the_ceiling():
    assert bounds(additive=0.96).psi(1.0) is None


def test_best_unimodal_and_gap():
    b = bounds(unimodal=(0.3, 0.5, 0.4), fused=0.75)
    assert b.best_unimodal == 0.5
    assert b.gap == 0.25


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_bounds_are_numbers(value):
    with pytest.raises(ValidationError):
        bounds(fused=value)
