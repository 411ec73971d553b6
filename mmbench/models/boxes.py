"""Boxes as x1, y1, x2, y2: overlap, and the removal of repeated ones."""

from __future__ import annotations

import torch
from torch import Tensor


def pairwise_iou(first: Tensor, second: Tensor) -> Tensor:
    """float [N,4], [M,4] -> intersection over union float [N,M]; 0 for two boxes without area."""
    low = torch.maximum(first[:, None, :2], second[None, :, :2])
    high = torch.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(dim=2)
    union = _area(first)[:, None] + _area(second)[None] - shared
    return shared / union.clamp(min=1e-9)


def generalised_iou(first: Tensor, second: Tensor) -> Tensor:
    """float [N,4] and [N,4], row by row -> IoU - (hull - union) / hull, float [N] in -1..1.

    Rezatofighi et al., Generalized Intersection over Union, CVPR 2019: it has a gradient where boxes do not meet.
    """
    low, high = torch.maximum(first[:, :2], second[:, :2]), torch.minimum(first[:, 2:], second[:, 2:])
    shared = (high - low).clamp(min=0).prod(dim=1)
    union = _area(first) + _area(second) - shared
    low, high = torch.minimum(first[:, :2], second[:, :2]), torch.maximum(first[:, 2:], second[:, 2:])
    hull = (high - low).prod(dim=1)
    return shared / union.clamp(min=1e-9) - (hull - union) / hull.clamp(min=1e-9)


def non_maximum_suppression(boxes: Tensor, scores: Tensor, labels: Tensor, threshold: float) -> Tensor:
    """Indices int64 of the boxes that are kept, best first: each suppresses all of its class with a higher IoU.

    boxes float [N,4], scores float [N], labels int64 [N]. Of equal scores the first counts as better.
    """
    order = torch.sort(scores, descending=True, stable=True).indices
    overlap = pairwise_iou(boxes[order], boxes[order])
    rivals = (overlap > threshold) & (labels[order][:, None] == labels[order][None])
    kept = torch.ones(len(order), dtype=torch.bool, device=boxes.device)
    for place in range(len(order)):
        if kept[place]:
            kept[place + 1 :] &= ~rivals[place, place + 1 :]
    return order[kept]


def _area(boxes: Tensor) -> Tensor:
    return (boxes[:, 2:] - boxes[:, :2]).clamp(min=0).prod(dim=1)
