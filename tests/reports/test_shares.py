"""Shares of the gain: the interval of the score is mapped end by end."""

from __future__ import annotations

import pytest

from mmbench.reports.board import Span
from mmbench.reports.shares import Shares, shares


def test_the_regret_turns_the_interval_around(build):
    found = shares(build.estimate(value=0.75, half=0.125), build.bounds(fused=1.0))
    assert found.regret == Span(0.25, low=0.125, high=0.375)


def test_a_value_without_an_interval_has_a_share_without_one(build):
    found = shares(build.estimate(value=0.82, low=None, high=None), build.bounds())
    assert found.phi.value == pytest.approx(0.5)
    assert (found.phi.low, found.phi.high) == (None, None)


def test_nothing_known_nothing_shared(build):
    assert shares(build.estimate(), None) == Shares()
    assert shares(build.estimate(value=None), build.bounds()) == Shares()
