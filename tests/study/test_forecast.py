"""The time that is left: each strategy by its own pace, what is shared counted once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.study.forecast import Expected, Forecast

LEFT = ["sum"] * 5 + ["attention"] * 5


def test_nothing_is_known_before_anything_is_measured() -> None:
    assert Forecast(LEFT, Expected()).seconds is None


def test_estimates_count_from_the_start() -> None:
    """5 x 2 s + 5 x 20 s, and what they share, which is gone once it is there."""
    found = Forecast(LEFT, Expected({"sum": 2.0, "attention": 20.0}, preparation=60.0))
    assert found.seconds == pytest.approx(170.0)
    found.prepared()
    assert found.seconds == pytest.approx(110.0)


def test_one_slow_training_does_not_set_the_pace() -> None:
    """The first cell once did all shared work, and the time left was given as hours: the middle of three counts."""
    found = Forecast(["sum"] * 10, Expected())
    for seconds in (600.0, 2.0, 2.0):
        found.done("sum", seconds)
    assert found.seconds == pytest.approx(7 * 2.0)


def test_estimates_are_corrected_by_what_was_measured() -> None:
    """Sums took twice as long as estimated, so attention will."""
    found = Forecast(LEFT, Expected({"sum": 2.0, "attention": 20.0}))
    for _ in range(5):
        found.done("sum", 4.0)
    assert found.seconds == pytest.approx(5 * 40.0)


def test_a_strategy_to_come_takes_as_long_as_the_others_where_nothing_was_estimated() -> None:
    found = Forecast(LEFT, Expected())
    found.done("sum", 3.0)
    assert found.seconds == pytest.approx(4 * 3.0 + 5 * 3.0)


def test_a_failure_is_not_done_again_and_sets_no_pace() -> None:
    found = Forecast(["sum", "sum", "gmu"], Expected({"sum": 2.0, "gmu": 3.0}))
    found.done("gmu")
    assert (found.trainings, found.seconds) == (2, pytest.approx(4.0))


@given(st.lists(st.tuples(st.sampled_from("abc"), st.floats(0.1, 100)), min_size=1, max_size=12))
def test_in_the_end_nothing_is_left(trainings: list[tuple[str, float]]) -> None:
    found = Forecast([name for name, _ in trainings], Expected({"a": 1.0, "b": 5.0}))
    for name, seconds in trainings:
        found.done(name, seconds)
    assert (found.trainings, found.seconds) == (0, 0.0)
