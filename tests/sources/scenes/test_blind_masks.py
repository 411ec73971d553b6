"""The best mask of an object of unknown place: at most 1/16, at least as good as any square that was tried."""

from __future__ import annotations

import numpy as np
import pytest

from mmbench.sources.scenes.blind_masks import _places, best_mask, blind_scores
from mmbench.sources.scenes.geometry import SHAPES


@pytest.mark.parametrize("canvas", [64, 96])
def test_knowing_the_shape_helps_and_a_sixteenth_is_the_limit(canvas: int) -> None:
    """Over 16 places the intersection with one mask sums to its size at most, so the mean IoU is at most 1/16."""
    shapes = list(range(len(SHAPES)))
    told, blind = blind_scores(shapes, canvas, told=True), blind_scores(shapes, canvas, told=False)
    for metric in ("mean_iou", "oiou", "p50"):
        assert 0 < blind[metric] <= told[metric] <= 1 / 16


@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_no_rectangle_is_better(shape: int) -> None:
    """Brute force over centred squares of one cell."""
    found = blind_scores([shape], 64, told=True)["mean_iou"]
    for margin in range(8):
        square = np.zeros((16, 16), dtype=bool)
        square[margin : 16 - margin, margin : 16 - margin] = True
        objects = _places(shape, 64)
        inside = (objects & square.ravel()).sum(axis=1)
        value = (inside / (objects | square.ravel()).sum(axis=1)).mean() / 16
        assert value <= found + 1e-12


@pytest.mark.parametrize("shape", range(len(SHAPES)))
def test_the_best_mask_has_the_score_that_is_stated(shape: int) -> None:
    mask, objects = best_mask((shape,), 64), _places(shape, 64).reshape(-1, 16, 16)
    total = 0.0
    for cell in range(16):
        for place in objects:
            truth = np.zeros((64, 64), dtype=bool)
            truth[cell // 4 * 16 :, cell % 4 * 16 :][:16, :16] = place
            total += (truth & (mask > 0)).sum() / (truth | (mask > 0)).sum()
    assert total / len(objects) / 16 == pytest.approx(blind_scores([shape], 64, told=True)["mean_iou"])
