"""The RGB rendering: textures with equal colour statistics, nothing of depth in it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.sources.scenes.regimes import BLANK, HIDDEN, LAWS
from mmbench.sources.scenes.rgb import CONTRAST, PALETTE, TINTS, render, texture_signs
from mmbench.sources.scenes.scene import Scene, Thing, label_map, scene_of

REGIMES = [*LAWS, "X"]


def alone(shown: tuple[int, int], colour: int = 0, size: int = 12) -> Scene:
    """A scene of one square at (2, 2)."""
    thing = Thing(1, shown, 0, size, 2, 2, colour, 0, (0, 0))
    return Scene(LAWS["S4"], 64, (thing,), 0, 0)


@pytest.mark.parametrize("down", range(4))
@pytest.mark.parametrize("across", range(4))
def test_textures_have_one_histogram(down: int, across: int) -> None:
    """Over any whole period each texture is half light, half dark: mean and variance are equal, and all else of it."""
    for signs in texture_signs()[:4]:
        period = signs[down : down + 12, across : across + 12]
        assert np.array_equal(np.sort(period, axis=None), np.repeat([-1, 1], 72))


@pytest.mark.parametrize("colour", range(len(PALETTE)))
def test_no_texture_is_clipped(colour: int) -> None:
    """Every object pixel is the colour plus or minus the contrast: the statistics are equal in the image too."""
    for signature in range(4):
        pixels = render(alone((signature, 0), colour))[2:14, 2:14].reshape(-1, 3).astype(int)
        assert np.array_equal(pixels.mean(axis=0), PALETTE[colour])
        assert np.array_equal(pixels.std(axis=0), [CONTRAST] * 3)


@given(regime=st.sampled_from(REGIMES), index=st.integers(0, 10_000))
def test_only_visible_objects_differ_from_the_background(regime: str, index: int) -> None:
    """The background is one colour that no object pixel has; an object that RGB hides leaves no trace."""
    scene = scene_of("seg", regime, "test", index, 64)
    visible = label_map(scene._replace(things=tuple(t for t in scene.things if t.shown[0] != HIDDEN))) > 0
    differs = (render(scene) != (TINTS[scene.law.cue] + scene.tone)).any(axis=2)
    assert np.array_equal(differs, visible)


@given(index=st.integers(0, 10_000), shown=st.integers(-2, 3), level=st.integers(0, 3), offset=st.integers(-40, 40))
def test_depth_does_not_modulate_rgb(index: int, shown: int, level: int, offset: int) -> None:
    scene = scene_of("seg", "S4", "test", index, 64)
    things = tuple(t._replace(shown=(t.shown[0], shown), level=level, label=1) for t in scene.things)
    assert np.array_equal(render(scene._replace(things=things, offset=offset)), render(scene))


def test_tints_tell_the_regimes_apart_whatever_the_tone() -> None:
    """Those mixed in X by 60 levels at least, all by more than the tone's range of 12."""
    distance = np.abs(TINTS[:, None] - TINTS[None]).max(axis=2)
    assert len(TINTS) >= 1 + max(law.cue for law in LAWS.values())
    assert distance[:4, :4][~np.eye(4, dtype=bool)].min() > 60
    assert distance[~np.eye(len(TINTS), dtype=bool)].min() > 12
    assert 6 <= TINTS.min() <= TINTS.max() <= 255 - 6


def test_a_blank_object_is_flat() -> None:
    assert (render(alone((BLANK, 0)))[2:14, 2:14] == PALETTE[0]).all()
