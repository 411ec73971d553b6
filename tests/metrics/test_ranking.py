"""Rank ranges from rows: joined by id, paired, refused where the samples differ."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import pytest

from mmbench.core.errors import NotComparable
from mmbench.core.metric import Metric, TaskContext, metric_named
from mmbench.metrics.ranking import rank_ranges
from mmbench.metrics.rows import Rows

CONTEXT = TaskContext(("background", "car"), 255)


def side(hits: np.ndarray, groups: Sequence[str] | None = None, prefix: str = "img") -> Rows:
    """Rows of images of 100 + 100 pixels of which ``hits`` [n] are right in each class."""
    ids = tuple(f"{prefix}{i:03}" for i in range(len(hits)))
    wrong = 100 - hits
    table = np.stack([hits, hits, hits + wrong, hits + wrong, hits + wrong, hits + wrong], axis=1).astype(np.int64)
    return Rows(ids, tuple(groups or ids), ({},) * len(ids), {"confusion": table})


def miou() -> Metric:
    return metric_named("miou")


@pytest.fixture
def hits() -> np.ndarray:
    """Images of very unequal difficulty: between images the spread is far larger than between models."""
    return np.random.default_rng(0).integers(10, 90, 100)


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(-2, 3, 100)


def test_pairing_tells_small_differences_apart(hits: np.ndarray) -> None:
    """Three points better on every image counts, though the images differ by eighty."""
    sides = [side(hits + noise(1)), side(hits + 3 + noise(2)), side(hits + 6 + noise(3))]
    assert rank_ranges(sides, miou(), CONTEXT) == [(3, 3), (2, 2), (1, 1)]


def test_samples_are_joined_by_id(hits: np.ndarray) -> None:
    """The order of a side's samples does not matter."""
    sides = [side(hits), side(hits + 2 + noise(1)), side(hits + noise(2))]
    shuffled = [s.select(np.random.default_rng(k).permutation(100)) for k, s in enumerate(sides)]
    assert rank_ranges(shuffled, miou(), CONTEXT) == rank_ranges(sides, miou(), CONTEXT)
    assert rank_ranges(sides[::-1], miou(), CONTEXT) == rank_ranges(sides, miou(), CONTEXT)[::-1]


def test_equal_sides_share_all_ranks(hits: np.ndarray) -> None:
    """A run and its copy cannot be told apart, nor can one run be from nothing."""
    assert rank_ranges([side(hits), side(hits)], miou(), CONTEXT) == [(1, 2), (1, 2)]
    assert rank_ranges([side(hits)], miou(), CONTEXT) == [(1, 1)]


def test_the_direction_of_the_metric(hits: np.ndarray) -> None:
    """Where lower is better the ranks turn round."""
    lower = dataclasses.replace(miou(), direction="lower")
    sides = [side(hits), side(hits + 5 + noise(1))]
    assert rank_ranges(sides, miou(), CONTEXT) == [(2, 2), (1, 1)]
    assert rank_ranges(sides, lower, CONTEXT) == [(1, 1), (2, 2)]


def test_groups_are_the_units(hits: np.ndarray) -> None:
    """What a hundred images show, two videos do not; one video shows nothing."""
    better = hits + 3 + noise(1)
    two = [f"video{i % 2}" for i in range(100)]
    assert rank_ranges([side(hits), side(better)], miou(), CONTEXT) == [(2, 2), (1, 1)]
    assert rank_ranges([side(hits, two), side(better, two)], miou(), CONTEXT) == [(1, 2), (1, 2)]
    one = ["video"] * 100
    assert rank_ranges([side(hits, one), side(better, one)], miou(), CONTEXT) == [(1, 2), (1, 2)]


def test_eight_images_that_agree(hits: np.ndarray) -> None:
    """On eight images a clear difference is found and a small one is not."""
    base = hits[:8]
    wobble = np.array([-6, 5, 4, -5, 6, -4, 3, -3])
    assert rank_ranges([side(base), side(base + 10)], miou(), CONTEXT) == [(2, 2), (1, 1)]
    assert rank_ranges([side(base), side(base + 1 + wobble)], miou(), CONTEXT) == [(1, 2), (1, 2)]


def test_an_undefined_score_claims_nothing(hits: np.ndarray) -> None:
    """A side whose metric is undefined has every rank and changes no other claim."""
    nothing = Rows(side(hits).ids, side(hits).groups, ({},) * 100, {"confusion": np.zeros((100, 6), np.int64)})
    ranges = rank_ranges([side(hits), nothing, side(hits + 5 + noise(1))], miou(), CONTEXT)
    assert ranges == [(2, 3), (1, 3), (1, 2)]


def test_false_claims_are_rare(hits: np.ndarray) -> None:
    """Five models without a difference: some claim is made in about 5 % of 200 leaderboards (at most 10 %)."""
    random = np.random.default_rng(8)
    claims = 0
    for _ in range(200):
        sides = [side(hits[:40] + random.integers(-8, 9, 40)) for _ in range(5)]
        claims += rank_ranges(sides, miou(), CONTEXT, draws=300) != [(1, 5)] * 5
    assert claims <= 20


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda s: s.select(range(99)), "'img099' is not in all of them"),
        (lambda s: side(s.values["confusion"][:, 0], prefix="photo"), "'img000' is not in all of them"),
        (lambda s: Rows(s.ids, ("v",) * 100, s.tags, s.values), "grouped differently"),
        (lambda s: Rows(s.ids, s.groups, s.tags, {}), "no rows of the statistic 'confusion'"),
        (lambda s: Rows(s.ids, s.groups, s.tags, {"confusion": s.values["confusion"][:, :3]}), "unequal width"),
    ],
)
def test_what_cannot_be_ranked(hits: np.ndarray, change: object, why: str) -> None:
    """Runs on other samples, groups, statistics or classes are refused, in either order."""
    sides = [side(hits), change(side(hits))]
    for ordered in (sides, sides[::-1]):
        with pytest.raises(NotComparable, match=why):
            rank_ranges(ordered, miou(), CONTEXT)
