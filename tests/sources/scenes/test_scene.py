"""Latents of an item: sizes, prefixes across canvases, label maps without overlap."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.sources.scenes import depth, rgb
from mmbench.sources.scenes.geometry import SIZES, area
from mmbench.sources.scenes.regimes import REGIMES
from mmbench.sources.scenes.scene import COLOURS, LEVELS, PRIMARY, label_map, scene_of

scenes = st.builds(
    scene_of,
    st.just("seg"),
    st.sampled_from(REGIMES),
    st.sampled_from(["train", "val", "test"]),
    st.integers(0, 51_199),
    st.sampled_from(sorted(SIZES)),
)


@given(scene=scenes)
def test_objects_do_not_overlap_and_the_label_map_holds_them(scene) -> None:
    """The areas of the label map are those of the outlines, class by class: nothing covers anything."""
    labels = label_map(scene)
    expected = np.zeros(17, dtype=int)
    for thing in scene.things:
        expected[thing.label] += area(thing.shape, thing.size)
    expected[0] = scene.canvas**2 - expected.sum()
    assert labels.dtype == np.uint8
    assert np.array_equal(np.bincount(labels.ravel(), minlength=17), expected)


@given(scene=scenes)
def test_latents_stay_in_their_ranges(scene) -> None:
    low, high = SIZES[scene.canvas]
    assert len(scene.things) == 4
    for thing in scene.things:
        assert low <= thing.size <= high
        assert 1 <= thing.label <= scene.law.classes
        assert thing.colour < COLOURS
        assert thing.level < LEVELS


@given(index=st.integers(0, 10_000), regime=st.sampled_from(REGIMES))
def test_a_larger_canvas_shows_the_same_latents(index: int, regime: str) -> None:
    small, large = (scene_of("seg", regime, "test", index, canvas) for canvas in (64, 96))
    assert (small.tone, small.offset) == (large.tone, large.offset)
    for a, b in zip(small.things, large.things, strict=True):
        assert (a.label, a.shown, a.shape, a.colour, a.level, a.phase) == (
            b.label,
            b.shown,
            b.shape,
            b.colour,
            b.level,
            b.phase,
        )
        assert (a.top // 16, a.left // 16) == (b.top // 24, b.left // 24)


@given(index=st.integers(0, 10_000))
def test_sixteen_signatures_use_the_second_carrier(index: int) -> None:
    for thing in scene_of("seg", "M16", "test", index, 64).things:
        assert (thing.colour, thing.level) == (thing.shown[0] // PRIMARY, thing.shown[1] // PRIMARY)


def test_the_renderers_have_what_the_latents_name() -> None:
    assert (len(rgb.PALETTE), len(rgb.TEXTURES)) == (COLOURS, PRIMARY)
    assert (len(depth.LEVELS), len(depth.RAMPS)) == (LEVELS, PRIMARY)


@pytest.mark.parametrize("regime", REGIMES)
def test_no_latents_are_repeated_across_splits(regime: str) -> None:
    """512 items of each split, canvas 64: no two scenes are alike."""
    seen = {
        (scene.things, scene.law.name)
        for split in ("train", "val", "test")
        for scene in (scene_of("seg", regime, split, index, 64) for index in range(512))
    }
    assert len(seen) == 3 * 512
