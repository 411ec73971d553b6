"""A one-stage head without anchors: each token says which object's centre it lies at, and how far its edges are."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import gelu, logsigmoid, max_pool2d, softplus

from mmbench.fusion.feature import Feature, from_map, to_map
from mmbench.models.boxes import generalised_iou

EDGES = 4
# So that sigmoid of a class is .01 at first: most tokens are no centre (Lin et al., ICCV 2017).
_FIRST_LOGIT = -math.log(99)
# Exponents of the focal loss, of hard tokens and of tokens near a centre (Law and Deng, CornerNet, ECCV 2018).
_HARD, _NEAR = 2, 4
# Boxes are learnt by the tokens within so many strides of a centre (Tian et al., FCOS, ICCV 2019).
_RADIUS = 1.5


class DetectionHead(nn.Module):
    """One level of CenterNet (Zhou et al., Objects as Points, 2019) with the box distances of FCOS.

    A 3x3 convolution, then linear maps: ``classes`` logits of "here is the centre of an object of this class", and four
    numbers whose softplus, times the stride, is the distance of the left, upper, right and lower edge in pixels.
    """

    def __init__(self, width: int, classes: int) -> None:
        super().__init__()
        self.around = nn.Conv2d(width, 2 * width, 3, padding=1)
        self.classify = nn.Conv2d(2 * width, classes, 1)
        self.measure = nn.Conv2d(2 * width, EDGES, 1)
        nn.init.constant_(self.classify.bias, _FIRST_LOGIT)  # type: ignore[arg-type]

    def forward(self, feature: Feature) -> Feature:
        """x float [B,L,d] on a grid -> x float [B,L,C+4]."""
        hidden = gelu(self.around(to_map(feature)))
        return from_map(torch.cat([self.classify(hidden), self.measure(hidden)], dim=1))


class Grid(NamedTuple):
    """Centres of the tokens in pixels, float [L,2] x, y, and the stride."""

    centres: Tensor
    stride: int

    @classmethod
    def of(cls, layout: tuple[int, ...], stride: int, device: torch.device) -> Grid:
        """Of a map of ``layout`` (height, width) tokens."""
        rows, columns = ((torch.arange(side, device=device) + 0.5) * stride for side in layout)
        y, x = torch.meshgrid(rows, columns, indexing="ij")
        return cls(torch.stack([x.flatten(), y.flatten()], dim=1), stride)

    def boxes(self, edges: Tensor) -> Tensor:
        """The head's numbers float [B,L,4] as boxes float [B,L,4] in pixels."""
        away = softplus(edges) * self.stride
        return torch.cat([self.centres - away[..., :2], self.centres + away[..., 2:]], dim=-1)


def centre_loss(logits: Tensor, boxes: Tensor, labels: Tensor, grid: Grid) -> Tensor:
    """The penalty-reduced focal loss of one image, over all tokens and classes: logits float [L,C].

    With Y the highest of Gaussians at the tokens nearest to the objects' centres, their standard deviation a sixth of
    the objects' sides: (1-p)^2 log p where Y is 1, (1-Y)^4 p^2 log(1-p) elsewhere.
    """
    heat = torch.zeros_like(logits)
    for box, label in zip(boxes, labels.tolist(), strict=True):
        middle = (box[:2] + box[2:]) / 2
        nearest = grid.centres[((grid.centres - middle) ** 2).sum(dim=1).argmin()]
        spread = ((box[2:] - box[:2]) / 6).clamp(min=1.0)
        bump = torch.exp(-(((grid.centres - nearest) / spread) ** 2).sum(dim=1) / 2)
        heat[:, label] = torch.maximum(heat[:, label], bump)
    p = logits.sigmoid()
    there = (1 - p) ** _HARD * logsigmoid(logits)
    elsewhere = (1 - heat) ** _NEAR * p**_HARD * logsigmoid(-logits)
    return -torch.where(heat == 1, there, elsewhere).sum()


def box_loss(found: Tensor, boxes: Tensor, grid: Grid) -> tuple[Tensor, int]:
    """Sum of 1 - GIoU over the tokens near a centre and inside the box, of one image, and the number of these tokens.

    A token near several centres learns the nearest one's box. found float [L,4], boxes float [N,4].
    """
    if not len(boxes):
        return found.sum() * 0, 0
    middles = (boxes[:, :2] + boxes[:, 2:]) / 2
    away = (grid.centres[:, None] - middles).abs()
    inside = (away < torch.minimum((boxes[:, 2:] - boxes[:, :2]) / 2, middles.new_tensor(_RADIUS * grid.stride))).all(2)
    distance = (away**2).sum(dim=2).masked_fill(~inside, math.inf)
    near = inside.any(dim=1)
    wanted = boxes[distance.argmin(dim=1)[near]]
    return (1 - generalised_iou(found[near], wanted)).sum(), int(near.sum())


def peaks(logits: Tensor, layout: tuple[int, ...]) -> Tensor:
    """Scores float [B,L,C]: the probability where it is the highest of its 3 x 3 tokens, else 0."""
    scores = to_map(Feature(logits.sigmoid(), torch.zeros_like(logits[..., 0], dtype=torch.bool), layout))
    highest = max_pool2d(scores, 3, stride=1, padding=1)
    return torch.where(scores == highest, scores, 0).flatten(2).transpose(1, 2)
