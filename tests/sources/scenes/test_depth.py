"""The depth rendering: ramps that are turns of one another, exact in float32, nothing of RGB in it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.sources.scenes.depth import LEVELS, PLANES, RAMP, RELIEF, UNIT, background, render, surfaces
from mmbench.sources.scenes.geometry import SIZES
from mmbench.sources.scenes.regimes import HIDDEN, LAWS
from mmbench.sources.scenes.scene import label_map, scene_of

FARTHEST_OBJECT = max(LEVELS) + RAMP
ALL_SIZES = sorted({size for low, high in SIZES.values() for size in range(low, high + 1)})


@pytest.mark.parametrize("size", ALL_SIZES)
def test_ramps_hold_the_same_values(size: int) -> None:
    down, right, up, left, flat = surfaces(size)
    assert np.array_equal(np.rot90(right, 1), up)
    assert np.array_equal(np.rot90(right, 2), left)
    assert np.array_equal(np.rot90(right, 3), down)
    assert (np.diff(right, axis=1) > 0).all()
    assert (int(right.min()), int(right.max()), int(right.sum())) == (-RAMP, RAMP, 0)
    assert not flat.any()


@given(regime=st.sampled_from([*LAWS, "X"]), index=st.integers(0, 10_000))
def test_only_visible_objects_stand_before_the_background(regime: str, index: int) -> None:
    """Depths are whole multiples of 1/1024 m; an object that depth hides leaves no trace."""
    scene = scene_of("seg", regime, "test", index, 64)
    depth = render(scene)
    steps = depth * UNIT
    visible = label_map(scene._replace(things=tuple(t for t in scene.things if t.shown[1] != HIDDEN))) > 0
    assert depth.dtype == np.float32
    assert np.array_equal(steps, np.round(steps))
    assert np.array_equal(steps[~visible], (background(scene.law.cue, 64) + scene.offset)[~visible])
    assert (steps[visible] <= FARTHEST_OBJECT).all()
    assert min(PLANES) - RELIEF - 15 > FARTHEST_OBJECT


@given(index=st.integers(0, 10_000), shown=st.integers(-2, 3), colour=st.integers(0, 7), tone=st.integers(-6, 6))
def test_rgb_does_not_modulate_depth(index: int, shown: int, colour: int, tone: int) -> None:
    scene = scene_of("seg", "S4", "test", index, 64)
    things = tuple(t._replace(shown=(shown, t.shown[1]), colour=colour, phase=(0, 0), label=1) for t in scene.things)
    assert np.array_equal(render(scene._replace(things=things, tone=tone)), render(scene))


def test_levels_and_backgrounds_are_unmistakable() -> None:
    """Levels are half a ramp's height apart; a background's plane or relief differs whatever the offset."""
    assert np.diff(LEVELS).min() >= RAMP - 1
    assert np.diff(PLANES).min() > 2 * (RELIEF + 15)
    cues = [law.cue for law in LAWS.values()]
    assert len({(background(cue, 64) - PLANES[cue // 4]).tobytes() + bytes([cue // 4]) for cue in cues}) == len(cues)
