"""Bounds of mean IoU on what was drawn: the design's figures, slices, certified additive bounds."""

from __future__ import annotations

import numpy as np
import pytest

from mmbench.core.bounds import Bounds
from mmbench.sources.scenes.observation import classes_of, pixels_of, table_of
from mmbench.sources.scenes.policy import best_policy, mean_iou
from mmbench.sources.scenes.regimes import BLANK, HIDDEN, LAWS, MIXED
from mmbench.sources.scenes.scene import scene_of


def with_background(*foreground: float) -> float:
    """Mean IoU of four classes of these IoU and a faultless background."""
    return (1 + 4 * float(np.mean(foreground))) / 5


BLIND = with_background(1 / 7)


@pytest.mark.parametrize(
    ("regime", "rgb", "depth", "fused"),
    [
        ("R", 1, 1, 1),
        ("U1", 1, BLIND, 1),
        ("U2", BLIND, 1, 1),
        ("S4", BLIND, BLIND, 1),
        ("M16", (1 + 16 / 31) / 17, (1 + 16 / 31) / 17, 1),
        ("E", 0.670, 0.670, 0.868),
        ("C", 0.711, 0.711, 1),
        ("H", with_background(0.7 / 1.3), with_background(0.7 / 1.3), with_background(0.7 / 1.3)),
    ],
)
def test_bounds_are_the_figures_of_the_design(open_seg, regime: str, rgb: float, depth: float, fused: float) -> None:
    """1,024 items. The realised areas give a best rule a little more than the law does, never much less."""
    source = open_seg(regime, "ci")
    (bounds,) = source.bounds(source.ids)
    found = (bounds.unimodal["rgb"], bounds.unimodal["depth"], bounds.fused)
    assert found == pytest.approx((rgb, depth, fused), abs=0.006)
    assert (bounds.metric, bounds.tag, bounds.value) == ("miou", "", "")


def test_bounds_are_ordered(open_seg) -> None:
    """chance <= U*_m <= F* <= 1, and A* between U* and F*, in every regime and slice."""
    for regime in (*LAWS, "X"):
        source = open_seg(regime)
        for b in source.bounds(source.ids[:100]):
            assert b.chance <= min(b.unimodal.values()) <= b.best_unimodal <= b.fused + 1e-6 <= 1 + 2e-6
            assert b.additive is None or b.best_unimodal <= b.additive + 1e-6 <= b.fused + 2e-6


@pytest.mark.parametrize("tier", ["smoke", "ci"])
def test_the_negative_control_has_no_gain(open_seg, tier: str) -> None:
    """H: what is left of the gap is chance in the areas, far below what phi needs."""
    source = open_seg("H", tier)
    (bounds,) = source.bounds(source.ids)
    assert 0 <= bounds.gap < 0.006
    assert bounds.phi(0.6) is None


def test_x_has_a_bound_for_each_law_that_occurs(open_seg) -> None:
    source = open_seg("X")
    overall, *slices = source.bounds(source.ids)
    assert [(b.tag, b.value) for b in slices] == [("regime", name) for name in MIXED]
    assert {b.value: b.additive is not None for b in slices} == {"R": True, "U1": True, "U2": True, "S4": False}
    assert overall.additive is None
    assert overall.gap > 0.35
    redundant = [i for i in source.ids if source.stratum(i) == "R"]
    assert [b.value for b in source.bounds(redundant)] == ["", "R"]
    assert source.bounds([]) == ()


def test_a_slice_is_bounded_as_a_set_of_its_own(open_seg) -> None:
    """The bounds of slice S4 are those of its items alone, whatever else is in the set."""
    source = open_seg("X")
    own = [i for i in source.ids if source.stratum(i) == "S4"]
    whole = {b.value: b for b in source.bounds(source.ids)}
    alone = {b.value: b for b in source.bounds(own)}
    assert alone["S4"] == whole["S4"]
    assert alone[""] == whole["S4"].model_copy(update={"tag": "", "value": ""})


def logits_of(shown: int, weight: float, classes: int = 5) -> np.ndarray:
    """What one modality says of a pixel: its signature's class, faintly background when it shows none."""
    logits = np.zeros(classes)
    logits[1 + shown if shown >= 0 else 0] = weight if shown >= 0 else 0.1
    return logits


@pytest.mark.parametrize("regime", [name for name, law in LAWS.items() if law.additive])
def test_where_an_additive_bound_is_stated_a_sum_of_logits_reaches_it(open_seg, regime: str) -> None:
    """The construction behind A* = F*: exactly in R, U1, U2, E and C, up to the noise of areas in H."""
    source = open_seg(regime)
    (bounds,) = source.bounds(source.ids)
    assert bounds.additive == bounds.fused
    weights = {"U1": (2.0, 0.0), "U2": (0.0, 2.0)}.get(regime, (2.0, 1.0))
    scenes = [scene_of("seg", regime, "test", index, 64) for index in range(256)]
    confusion = np.zeros((5, 5))
    for _, pixels, label, *shown in pixels_of(scenes).tolist():
        total = sum(logits_of(s, w) for s, w in zip(shown, weights, strict=True))
        confusion[label, int(np.argmax(total))] += pixels
    confusion[0, 0] = 256 * 64 * 64 - confusion.sum()
    inter = np.diag(confusion)
    value = float((inter / (confusion.sum(axis=0) + confusion.sum(axis=1) - inter)).mean())
    assert value == pytest.approx(bounds.fused, abs=0.006 if regime == "H" else 1e-6)


def test_abstaining_is_what_the_bound_of_erasure_rests_on() -> None:
    scenes = [scene_of("seg", "E", "test", index, 64) for index in range(256)]
    table = table_of(pixels_of(scenes), (0,), classes_of("E"), 256 * 64 * 64)
    blank = int(np.argmax((table > 0).sum(axis=1)))
    policy = best_policy(table)
    guess = policy.rule.copy()
    guess[blank] = [0, 0.25, 0.25, 0.25, 0.25]
    assert policy.rule[blank, 0] == pytest.approx(1)
    assert policy.value - mean_iou(table, guess) > 0.02
    assert {BLANK, HIDDEN} == {-1, -2}


def test_bounds_are_records(open_seg) -> None:
    """They survive JSON, as they stand in a run's record."""
    source = open_seg("X")
    for bounds in source.bounds(source.ids[:64]):
        assert Bounds.model_validate_json(bounds.model_dump_json()) == bounds
