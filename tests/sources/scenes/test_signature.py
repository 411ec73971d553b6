"""Signature maps: what one modality alone shows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.sources.scenes.regimes import HIDDEN, LAWS, MIXED, REGIMES
from mmbench.sources.scenes.scene import label_map, scene_of
from mmbench.sources.scenes.signature import label_count, signature_map


@pytest.mark.parametrize(
    ("regime", "count"), [("R", 5), ("S4", 5), ("M16", 17), ("E", 6), ("C", 5), ("H", 5), ("X", 20)]
)
def test_all_labels_occur_and_no_other(regime: str, count: int) -> None:
    """64 items of each regime use exactly the labels 0..count-1, in both modalities."""
    for modality in (0, 1):
        assert label_count(regime, modality) == count
        seen = {
            int(label)
            for index in range(64)
            for label in np.unique(signature_map(scene_of("seg", regime, "test", index, 64), regime, modality))
        }
        assert seen == set(range(count))


@given(regime=st.sampled_from(REGIMES), index=st.integers(0, 10_000), modality=st.integers(0, 1))
def test_the_map_holds_cue_and_signature(regime: str, index: int, modality: int) -> None:
    """Pure regimes: background 0, then 1 + s. X: the same, in a block of five for each law."""
    scene = scene_of("seg", regime, "test", index, 64)
    labels = signature_map(scene, regime, modality)
    assert labels.dtype == np.uint8
    block, within = np.divmod(labels, 5) if regime == "X" else (0 * labels, labels)
    assert (block == (MIXED.index(scene.law.name) if regime == "X" else 0)).all()
    visible = label_map(scene._replace(things=tuple(t for t in scene.things if t.shown[modality] != HIDDEN))) > 0
    assert np.array_equal(within > 0, visible)
    for thing in scene.things:
        if thing.shown[modality] >= 0:
            middle = within[thing.top + thing.size // 2, thing.left + thing.size // 2]
            assert middle == 1 + thing.shown[modality]


def test_modalities_of_redundant_items_show_the_label_itself() -> None:
    scene = scene_of("seg", "R", "test", 5, 64)
    assert all(np.array_equal(signature_map(scene, "R", m), label_map(scene)) for m in (0, 1))
    assert LAWS["R"] is scene.law
