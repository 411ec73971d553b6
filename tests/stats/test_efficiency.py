"""Labels that a score costs."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.stats.efficiency import labels_to_reach


def test_between_two_counts_it_is_log_linear() -> None:
    """Half way up between 100 and 10,000 labels are 1,000."""
    assert labels_to_reach([100, 10_000], [0.4, 0.8], 0.6) == pytest.approx(1000)


def test_the_first_time_counts() -> None:
    """A curve that falls again has still reached the target."""
    assert labels_to_reach([10, 100, 1000], [0.2, 0.9, 0.7], 0.9) == pytest.approx(100)


def test_not_reached_is_said() -> None:
    assert labels_to_reach([10, 100], [0.2, 0.5], 0.6) is None


def test_the_smallest_count_may_be_enough() -> None:
    assert labels_to_reach([20, 100], [0.7, 0.8], 0.6) == 20


@given(st.lists(st.floats(0, 1), min_size=2, max_size=6), st.floats(0.01, 1))
def test_the_curve_has_the_target_there(scores: list[float], target: float) -> None:
    """What is found lies on the straight line in log labels, and nothing smaller reached the target."""
    labels = [2**n * 16 for n in range(len(scores))]
    found = labels_to_reach(labels, scores, target)
    if found is None:
        assert max(scores) < target
        return
    after = next(i for i, score in enumerate(scores) if score >= target)
    assert found <= labels[after] * (1 + 1e-9)
    if after:
        assert found >= labels[after - 1] * (1 - 1e-9)
        share = math.log(found / labels[after - 1]) / math.log(labels[after] / labels[after - 1])
        assert scores[after - 1] + share * (scores[after] - scores[after - 1]) == pytest.approx(target, abs=1e-9)


@pytest.mark.parametrize(("labels", "scores"), [([], []), ([10, 10], [0.1, 0.2]), ([10], [0.1, 0.2]), ([0], [0.1])])
def test_malformed_curves_are_refused(labels: list[int], scores: list[float]) -> None:
    with pytest.raises(ValueError, match="ascending"):
        labels_to_reach(labels, scores, 0.5)
