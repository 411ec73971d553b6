"""Detection: boxes with scores and labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from mmbench.core.errors import SampleError
from mmbench.core.prediction import Detections, Prediction
from mmbench.core.targets import Boxes
from mmbench.fusion.feature import Feature
from mmbench.models.boxes import non_maximum_suppression
from mmbench.models.config import ModelConfig
from mmbench.models.detection_head import EDGES, DetectionHead, Grid, box_loss, centre_loss, peaks
from mmbench.models.tasks.task import VOID, Asked, Decide, Labels, Penalty, Task

# As many as COCO's AP reads, and the IoU above which two boxes of a class are one.
_MOST, _SAME = 100, 0.6
_LEAST_SCORE = 1e-3
# Weight of the boxes' loss beside that of the centres.
_BOX_WEIGHT = 2.0


class Detection(Task):
    """A list of {boxes float [N,4] x1, y1, x2, y2 in pixels, scores float [N], labels int64 [N]}, best first.

    A target is float32 [N,5], the boxes and their labels.
    """

    on_grid = True

    def target(self, value: Any, labels: Labels) -> Tensor:  # noqa: ARG002
        """From ``Boxes``."""
        if not isinstance(value, Boxes):
            raise SampleError(f"A sample's target is a {type(value).__name__}, expected boxes.")
        return torch.from_numpy(np.concatenate([value.boxes, value.labels[:, None]], axis=1).astype(np.float32))

    def truth(self, target: Tensor, value: Any) -> Any:  # noqa: ARG002
        """The sample's own."""
        return value

    def collate(self, targets: Sequence[Tensor]) -> Tensor:
        """float32 [B,N,5], the label VOID where an image has fewer objects."""
        most = max((len(target) for target in targets), default=0)
        together = torch.zeros(len(targets), most, EDGES + 1)
        together[..., EDGES] = VOID
        for place, target in zip(together, targets, strict=True):
            place[: len(target)] = target
        return together

    def counts(self, target: Tensor, classes: int) -> Tensor:
        """Objects."""
        return torch.bincount(target[:, EDGES].long(), minlength=classes)[:classes].double()

    def channels(self, config: ModelConfig) -> int:
        """A logit of each class and the distances of four edges."""
        return len(config.classes) + EDGES

    def head(self, config: ModelConfig) -> nn.Module:
        """By token, from its neighbourhood."""
        return DetectionHead(config.width, len(config.classes))

    def loss(self, logits: Feature, target: Tensor, penalty: Penalty, config: ModelConfig) -> Tensor:  # noqa: ARG002
        """The centres' focal loss by object, and the mean of 1 - GIoU over the tokens near a centre."""
        grid, x = _grid(logits, config), logits.x.float()
        boxes = grid.boxes(x[..., -EDGES:])
        centres, edges, near, objects = x.new_zeros(()), x.new_zeros(()), 0, 0
        for item, row in enumerate(target):
            there = row[row[:, EDGES] != VOID]
            centres = centres + centre_loss(x[item, :, :-EDGES], there[:, :EDGES], there[:, EDGES].long(), grid)
            wrong, tokens = box_loss(boxes[item], there[:, :EDGES], grid)
            edges, near, objects = edges + wrong, near + tokens, objects + len(there)
        return centres / max(1, objects) + _BOX_WEIGHT * edges / max(1, near)

    def answer(self, decide: Decide, asked: Asked) -> list[dict[str, Tensor]]:
        """The 100 best peaks of each image, without repetitions, cut at the picture's edges."""
        logits = decide(None)
        classes, x = len(asked.config.classes), logits.x.float()
        boxes = _grid(logits, asked.config).boxes(x[..., -EDGES:])
        if asked.size is not None:
            height, width = asked.size
            boxes = boxes.clamp(min=0).minimum(boxes.new_tensor([width, height, width, height]))
        scores = peaks(x[..., :classes], logits.grid or ())
        return [_best(boxes[item], scores[item]) for item in range(len(x))]

    def predictions(self, answers: Any, ids: Sequence[str], classes: Sequence[str]) -> list[Prediction]:  # noqa: ARG002
        """Boxes as left, top, width, height."""
        columns = [[found[key].cpu().numpy() for key in ("boxes", "scores", "labels")] for found in answers]
        return [Detections.of_corners(i, *found) for i, found in zip(ids, columns, strict=True)]


def _grid(logits: Feature, config: ModelConfig) -> Grid:
    return Grid.of(logits.grid or (), config.stride, logits.x.device)


def _best(boxes: Tensor, scores: Tensor) -> dict[str, Tensor]:
    """boxes float [L,4] and scores float [L,C] of one image."""
    flat = scores.flatten()
    order = torch.sort(flat, descending=True, stable=True).indices[:_MOST]
    order = order[flat[order] > _LEAST_SCORE]
    places, labels = order // scores.shape[1], order % scores.shape[1]
    kept = non_maximum_suppression(boxes[places], flat[order], labels, _SAME)
    return {"boxes": boxes[places][kept], "scores": flat[order][kept], "labels": labels[kept]}
