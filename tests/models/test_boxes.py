"""Boxes against plain loops."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from mmbench.models.boxes import generalised_iou, non_maximum_suppression, pairwise_iou


def some_boxes(count: int, seed: int) -> Tensor:
    """Whole numbers, so that equal overlaps occur."""
    draws = torch.Generator().manual_seed(seed)
    corners = torch.randint(0, 12, (count, 2), generator=draws)
    sides = torch.randint(1, 8, (count, 2), generator=draws)
    return torch.cat([corners, corners + sides], dim=1).float()


def pixels(box: Tensor) -> set[tuple[int, int]]:
    x1, y1, x2, y2 = (int(v) for v in box)
    return {(x, y) for x in range(x1, x2) for y in range(y1, y2)}


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 1000))
def test_overlap_equals_counting_pixels(seed: int) -> None:
    first, second = some_boxes(4, seed), some_boxes(4, seed + 1)
    table, paired = pairwise_iou(first, second), generalised_iou(first, second)
    for i, a in enumerate(first):
        for j, b in enumerate(second):
            shared, union = len(pixels(a) & pixels(b)), len(pixels(a) | pixels(b))
            assert float(table[i, j]) == pytest.approx(shared / union)
            if i == j:
                low, high = torch.minimum(a, b)[:2], torch.maximum(a, b)[2:]
                hull = float((high - low).prod())
                assert float(paired[i]) == pytest.approx(shared / union - (hull - union) / hull, abs=1e-6)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 1000), st.integers(0, 12), st.sampled_from([0.0, 0.3, 0.6]))
def test_suppression_equals_a_naive_loop(seed: int, count: int, threshold: float) -> None:
    """Take the best that is left, throw away what overlaps it too much in its class, again."""
    boxes = some_boxes(count, seed)
    draws = torch.Generator().manual_seed(seed)
    scores = torch.randint(0, 5, (count,), generator=draws).float() / 5
    labels = torch.randint(0, 2, (count,), generator=draws)
    left = sorted(range(count), key=lambda n: (-float(scores[n]), n))
    kept = []
    while left:
        best = left.pop(0)
        kept.append(best)
        rivals = {n for n in left if labels[n] == labels[best] and _iou(boxes[n], boxes[best]) > threshold}
        left = [n for n in left if n not in rivals]
    assert non_maximum_suppression(boxes, scores, labels, threshold).tolist() == kept


def _iou(a: Tensor, b: Tensor) -> float:
    return float(pairwise_iou(a[None], b[None]))
