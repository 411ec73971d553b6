"""Referring segmentation: four objects of two colours and two shapes, each asked for once."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from mmbench.core.errors import SampleError
from mmbench.sources.scenes.looks import look_labels


@pytest.fixture(scope="module")
def source(open_task):
    return open_task("refseg")


def test_samples_are_as_declared(source) -> None:
    assert len(source.ids) == 4 * 256
    for sample_id in source.ids[:40]:
        sample = source.load(sample_id)
        assert (sample.target.dtype, sample.target.shape) == (np.uint8, (64, 64))
        assert set(np.unique(sample.target)) == {0, 1}
        assert sample.group == sample_id[:-2]
        assert source.signature(sample_id, "image").max() < look_labels() == source.signature_classes("image")
        assert source.signature(sample_id, "text") < 48 == source.signature_classes("text")


def test_each_object_is_meant_once(source) -> None:
    """The four masks of a picture are disjoint and cover all that is not background."""
    for scene in range(40):
        masks = [source.without_inputs(f"test/{scene:06d}-{part}").target for part in range(4)]
        assert np.array_equal(sum(masks), source.signature(f"test/{scene:06d}-0", "image") > 0)


def test_both_words_are_needed(source) -> None:
    """Of the four looks, two share each colour and two each shape."""
    for scene in range(40):
        meant = [int(source.signature(f"test/{scene:06d}-{part}", "text")) for part in range(4)]
        colours, shapes = [m // 6 for m in meant], [m % 6 for m in meant]
        assert sorted(colours.count(c) for c in set(colours)) == [2, 2]
        assert sorted(shapes.count(s) for s in set(shapes)) == [2, 2]
        assert len(set(meant)) == 4


def test_bounds_are_those_of_the_design(source) -> None:
    """A picture alone .25 of the IoU, a text alone at most 1/16."""
    for bounds in source.bounds(source.ids):
        assert bounds.unimodal["image"] == 0.25 or bounds.metric == "p50"
        assert bounds.chance <= bounds.unimodal["text"] <= 1 / 16
        assert bounds.fused == 1
    assert [bounds.metric for bounds in source.bounds(source.ids)] == ["mean_iou", "oiou", "p50"]
    assert source.bounds([]) == ()


def test_half_of_a_picture_is_right_only_of_equal_areas(source) -> None:
    """p50 of a picture alone, by brute force over all unions of objects: two are both half of theirs if equal."""
    best = []
    for scene in range(64):
        masks = [source.without_inputs(f"test/{scene:06d}-{part}").target > 0 for part in range(4)]
        hits = [0.0]
        for count in range(1, 5):
            for chosen in combinations(masks, count):
                union = np.any(chosen, axis=0)
                hits.append(np.mean([2 * (union & mask).sum() >= (union | mask).sum() for mask in masks]))
        best.append(max(hits))
    bounds = source.bounds(source.ids[: 4 * 64])[2]
    assert 0.25 < bounds.unimodal["image"] == pytest.approx(np.mean(best), abs=1e-6)


@pytest.mark.parametrize("bad", ["test/000000", "test/000000-4", "test/000256-0", "test/000000-00", "val/000000-0"])
def test_an_unknown_item_is_named(source, bad: str) -> None:
    with pytest.raises(SampleError, match=r"There is no item .* has test/000000-0 to test/000255-3\."):
        source.load(bad)
