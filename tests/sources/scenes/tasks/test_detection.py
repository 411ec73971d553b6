"""Detection: boxes that enclose what is drawn, policies that use only what they may see."""

from __future__ import annotations

import numpy as np
import pytest

from mmbench.sources.scenes.regimes import REGIMES


@pytest.mark.parametrize("regime", REGIMES)
def test_boxes_enclose_the_objects(open_task, regime: str) -> None:
    """Against the pixels that colour or depth sets off from the background."""
    source = open_task("det", regime)
    for sample_id in source.ids[:20]:
        sample = source.load(sample_id)
        tint = np.bincount(sample.inputs["rgb"].reshape(-1, 3).astype(int) @ [65536, 256, 1]).argmax()
        drawn = (sample.inputs["rgb"].astype(int) @ [65536, 256, 1] != tint) | (sample.inputs["depth"] < 1.13)
        assert (sample.target.boxes.dtype, sample.target.labels.dtype) == (np.float32, np.int64)
        assert sample.target.labels.max() < len(source.classes)
        covered = np.zeros_like(drawn)
        for x1, y1, x2, y2 in sample.target.boxes.astype(int):
            inside = drawn[y1:y2, x1:x2]
            assert inside[0].any()
            assert inside[-1].any()
            assert inside[:, 0].any()
            assert inside[:, -1].any()
            covered[y1:y2, x1:x2] = True
        assert not (drawn & ~covered).any()


def test_the_best_policy_names_every_class_that_is_possible(open_task) -> None:
    """S4: one modality gives each box four times at 1/4, both once at 1; one label a box on request."""
    source = open_task("det", "S4")
    ids = source.ids[:30]
    alone, fused = source.policies(ids, ("rgb",)), source.policies(ids, ("rgb", "depth"))
    for number, sample_id in enumerate(ids):
        truth = source.target(sample_id)
        assert len(alone["every class"][number].labels) == 16
        assert set(alone["every class"][number].scores) == {0.25}
        assert len(alone["one class"][number].labels) == 4
        assert np.array_equal(fused["every class"][number].labels, truth.labels)
        assert np.array_equal(fused["every class"][number].boxes, truth.boxes)


def test_hidden_objects_are_not_detected(open_task) -> None:
    source = open_task("det", "C")
    found = source.policies(source.ids, ("rgb",))["one class"]
    assert sum(len(one.labels) for one in found) == pytest.approx(0.65 * 4 * 256, rel=0.01)


def test_nothing_observed_gives_nothing(open_task) -> None:
    source = open_task("det", "S4")
    assert [len(one.labels) for one in source.policies(source.ids[:3], ())["every class"]] == [0, 0, 0]
    assert source.bounds(source.ids[:3]) == ()
