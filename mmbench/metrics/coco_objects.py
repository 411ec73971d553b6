"""Metrics of detection as suites name them: the official figures of COCO for boxes, masks and keypoints.

The detections per image and class that count (maxDets) stand at the end of a figure's name: ``ap_100`` is the AP of the
COCO leaderboard, ``ap50_100`` and ``ap75_100`` those at one threshold, ``ar_10`` the recall of ten detections.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmbench.core.errors import SampleError
from mmbench.core.metric import Floats, Ints, TaskContext
from mmbench.core.prediction import Detections, Prediction
from mmbench.core.registry import metric, statistic
from mmbench.core.table import Ragged
from mmbench.core.targets import Boxes, Objects
from mmbench.metrics.average_precision import average_precision, class_average_precision
from mmbench.metrics.coco_settings import INSTANCES, KEYPOINTS, CocoSettings
from mmbench.metrics.detection import match_boxes, match_keypoints, match_masks
from mmbench.metrics.match_rows import MatchRows


class _CocoObjects:
    """Rows of an image: its detections (1, class, rank, score, matched, ignored) and its objects (0, class, counts).

    ``matched`` and ``ignored`` are sets of bits, ``counts`` the objects to be found in each area range
    (``match_rows.MatchRows``); whole numbers below 2**53, so float64 holds them exactly.
    """

    settings: CocoSettings

    def check(self, target: Any, prediction: Prediction, context: TaskContext) -> None:  # noqa: ARG002
        """Raises SampleError unless the prediction holds detections of known classes with finite scores."""
        if not isinstance(prediction, Detections):
            raise SampleError(f"The prediction of {prediction.sample_id!r} is {prediction.kind}, expected detections.")
        labels = prediction.labels
        if labels.size and not (labels.min() >= 0 and labels.max() < len(context.classes)):
            raise SampleError(f"The prediction of {prediction.sample_id!r} has a class that the suite does not have.")
        if not np.isfinite(prediction.scores).all():
            raise SampleError(f"The prediction of {prediction.sample_id!r} has a score that is not finite.")

    def support(self, rows: Ragged, context: TaskContext) -> Ints:
        """int64 [C]: images with an object of the class that is to be found."""
        wanted = (rows.values[:, 0] == 0) & (rows.values[:, 2] > 0)
        return np.bincount(rows.values[wanted, 1].astype(np.int64), minlength=len(context.classes)).astype(np.int64)

    def absent(self, rows: Ragged, context: TaskContext) -> int:
        """Classes without an object; they are left out of every mean."""
        return int(np.count_nonzero(self.support(rows, context) == 0))


@statistic("coco_boxes", version=1)
class CocoBoxes(_CocoObjects):
    """Match lists by IoU of boxes, as the official scorer makes them."""

    settings = INSTANCES

    def rows(self, targets: Sequence[Any], predictions: Sequence[Prediction], context: TaskContext) -> Ragged:
        """Targets are ``core.targets.Objects`` or ``Boxes``."""
        return packed(match_boxes(*_columns(targets, predictions, context)))


@statistic("coco_masks", version=1)
class CocoMasks(_CocoObjects):
    """Match lists by IoU of masks, as the official scorer makes them."""

    settings = INSTANCES

    def rows(self, targets: Sequence[Any], predictions: Sequence[Prediction], context: TaskContext) -> Ragged:
        """Targets are ``core.targets.Objects`` with masks."""
        return packed(match_masks(*_columns(targets, predictions, context)))


@statistic("coco_keypoints", version=1)
class CocoKeypoints(_CocoObjects):
    """Match lists by object keypoint similarity, as the official scorer makes them."""

    settings = KEYPOINTS

    def rows(self, targets: Sequence[Any], predictions: Sequence[Prediction], context: TaskContext) -> Ragged:
        """Targets are ``core.targets.Objects`` with keypoints."""
        return packed(match_keypoints(*_columns(targets, predictions, context)))


@metric("ap_100", statistic="coco_boxes", version=1, task="detection", kind="joint")
@metric("ap50_100", statistic="coco_boxes", version=1, task="detection", kind="joint")
@metric("ap75_100", statistic="coco_boxes", version=1, task="detection", kind="joint")
@metric("ap_small_100", statistic="coco_boxes", version=1, task="detection", kind="joint")
@metric("ap_medium_100", statistic="coco_boxes", version=1, task="detection", kind="joint")
@metric("ap_large_100", statistic="coco_boxes", version=1, task="detection", kind="joint")
@metric("ar_1", statistic="coco_boxes", version=1, task="detection", kind="joint")
@metric("ar_10", statistic="coco_boxes", version=1, task="detection", kind="joint")
@metric("ar_100", statistic="coco_boxes", version=1, task="detection", kind="joint")
@metric("ar_small_100", statistic="coco_boxes", version=1, task="detection", kind="joint")
@metric("ar_medium_100", statistic="coco_boxes", version=1, task="detection", kind="joint")
@metric("ar_large_100", statistic="coco_boxes", version=1, task="detection", kind="joint")
def box_figures(table: Ragged, weights: Floats, context: TaskContext, names: Sequence[str]) -> Mapping[str, Floats]:
    """A figure of the COCO leaderboard for boxes."""
    return _figures(table, weights, context, {name: name for name in names}, INSTANCES)


@metric("segm_ap_100", statistic="coco_masks", version=1, task="instance-segmentation", kind="joint")
@metric("segm_ap50_100", statistic="coco_masks", version=1, task="instance-segmentation", kind="joint")
@metric("segm_ap75_100", statistic="coco_masks", version=1, task="instance-segmentation", kind="joint")
@metric("segm_ap_small_100", statistic="coco_masks", version=1, task="instance-segmentation", kind="joint")
@metric("segm_ap_medium_100", statistic="coco_masks", version=1, task="instance-segmentation", kind="joint")
@metric("segm_ap_large_100", statistic="coco_masks", version=1, task="instance-segmentation", kind="joint")
@metric("segm_ar_1", statistic="coco_masks", version=1, task="instance-segmentation", kind="joint")
@metric("segm_ar_10", statistic="coco_masks", version=1, task="instance-segmentation", kind="joint")
@metric("segm_ar_100", statistic="coco_masks", version=1, task="instance-segmentation", kind="joint")
@metric("segm_ar_small_100", statistic="coco_masks", version=1, task="instance-segmentation", kind="joint")
@metric("segm_ar_medium_100", statistic="coco_masks", version=1, task="instance-segmentation", kind="joint")
@metric("segm_ar_large_100", statistic="coco_masks", version=1, task="instance-segmentation", kind="joint")
def mask_figures(table: Ragged, weights: Floats, context: TaskContext, names: Sequence[str]) -> Mapping[str, Floats]:
    """A figure of the COCO leaderboard for masks."""
    return _figures(table, weights, context, {name: name.removeprefix("segm_") for name in names}, INSTANCES)


@metric("keypoint_ap_20", statistic="coco_keypoints", version=1, task="keypoints", kind="joint")
@metric("keypoint_ap50_20", statistic="coco_keypoints", version=1, task="keypoints", kind="joint")
@metric("keypoint_ap75_20", statistic="coco_keypoints", version=1, task="keypoints", kind="joint")
@metric("keypoint_ap_medium_20", statistic="coco_keypoints", version=1, task="keypoints", kind="joint")
@metric("keypoint_ap_large_20", statistic="coco_keypoints", version=1, task="keypoints", kind="joint")
@metric("keypoint_ar_20", statistic="coco_keypoints", version=1, task="keypoints", kind="joint")
@metric("keypoint_ar50_20", statistic="coco_keypoints", version=1, task="keypoints", kind="joint")
@metric("keypoint_ar75_20", statistic="coco_keypoints", version=1, task="keypoints", kind="joint")
@metric("keypoint_ar_medium_20", statistic="coco_keypoints", version=1, task="keypoints", kind="joint")
@metric("keypoint_ar_large_20", statistic="coco_keypoints", version=1, task="keypoints", kind="joint")
def keypoint_figures(
    table: Ragged, weights: Floats, context: TaskContext, names: Sequence[str]
) -> Mapping[str, Floats]:
    """A figure of the COCO leaderboard for keypoints of persons."""
    return _figures(table, weights, context, {name: name.removeprefix("keypoint_") for name in names}, KEYPOINTS)


@metric("class_ap_100", statistic="coco_boxes", version=1, task="detection", kind="weighted", per_class=True)
def class_ap(table: Ragged, weights: Floats, context: TaskContext) -> Floats:
    """AP of boxes of each class, IoU 0.50 to 0.95."""
    return class_average_precision(unpacked(table, context, INSTANCES), _whole(weights), ["ap_100"])[:, :, 0]


@metric(
    "segm_class_ap_100",
    statistic="coco_masks",
    version=1,
    task="instance-segmentation",
    kind="weighted",
    per_class=True,
)
def segm_class_ap(table: Ragged, weights: Floats, context: TaskContext) -> Floats:
    """AP of masks of each class, IoU 0.50 to 0.95."""
    return class_average_precision(unpacked(table, context, INSTANCES), _whole(weights), ["ap_100"])[:, :, 0]


def packed(rows: MatchRows) -> Ragged:
    """Match lists as a table; see ``_CocoObjects``."""
    areas = rows.truth_count.shape[1]
    width = max(6, 2 + areas)
    found = np.zeros((len(rows.image), width))
    columns = (np.ones(len(rows.image)), rows.category, rows.rank, rows.score, rows.matched, rows.ignored)
    for place, column in enumerate(columns):
        found[:, place] = column
    truth = np.zeros((len(rows.truth_image), width))
    truth[:, 1] = rows.truth_category
    truth[:, 2 : 2 + areas] = rows.truth_count
    owner = np.concatenate([rows.image, rows.truth_image])
    order = np.argsort(owner, kind="stable")
    starts = np.searchsorted(owner[order], np.arange(len(rows) + 1))
    return Ragged(np.concatenate([found, truth])[order], starts.astype(np.int64))


def unpacked(table: Ragged, context: TaskContext, settings: CocoSettings) -> MatchRows:
    """The inverse of ``packed``, with the places of the images as their ids."""
    found = table.values[:, 0] == 1
    owners = table.owners
    detections, truth = table.values[found], table.values[~found]
    whole = detections.astype(np.int64)
    return MatchRows(
        settings=settings,
        image_ids=tuple(range(len(table))),
        categories=context.classes,
        image=owners[found],
        category=whole[:, 1],
        rank=whole[:, 2],
        score=detections[:, 3],
        matched=whole[:, 4],
        ignored=whole[:, 5],
        truth_image=owners[~found],
        truth_category=truth[:, 1].astype(np.int64),
        truth_count=truth[:, 2 : 2 + len(settings.areas)].astype(np.int64),
    )


def _figures(
    table: Ragged, weights: Floats, context: TaskContext, names: Mapping[str, str], settings: CocoSettings
) -> dict[str, Floats]:
    """``names``: metric -> figure."""
    found = average_precision(unpacked(table, context, settings), _whole(weights), list(names.values()))
    return {name: found[:, place] for place, name in enumerate(names)}


def _whole(weights: Floats) -> Ints:
    return weights.astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _Truth:
    """All objects as columns (``instances.GroundTruth``)."""

    image_ids: tuple[int, ...]
    categories: tuple[str, ...]
    image: Ints
    category: Ints
    area: Floats
    crowd: NDArray[np.bool_]
    ignored: NDArray[np.bool_]
    matchable: NDArray[np.bool_]
    box: Floats | None
    mask: tuple[Mapping[str, Any], ...] | None
    keypoints: Floats | None


@dataclass(frozen=True, slots=True, eq=False)
class _Found:
    """All detections as columns (``instances.Detections``)."""

    image: Ints
    category: Ints
    area: Floats
    score: Floats
    box: Floats | None
    mask: tuple[Mapping[str, Any], ...] | None
    keypoints: Floats | None


def _columns(
    given: Sequence[Objects | Boxes], predictions: Sequence[Prediction], context: TaskContext
) -> tuple[_Truth, _Found]:
    targets = [_objects(target) for target in given]
    found = [prediction for prediction in predictions if isinstance(prediction, Detections)]
    truth = _Truth(
        image_ids=tuple(range(len(targets))),
        categories=context.classes,
        image=_owners([len(target.labels) for target in targets]),
        category=_joined([target.labels for target in targets]),
        area=_joined([target.areas for target in targets]),
        crowd=_joined([target.crowd for target in targets]),
        ignored=_joined([target.ignored for target in targets]),
        matchable=_joined([target.matchable for target in targets]),
        box=_optional([target.boxes for target in targets]),
        mask=_masks([target.masks for target in targets]),
        keypoints=_optional([target.keypoints for target in targets]),
    )
    detections = _Found(
        image=_owners([len(one.labels) for one in found]),
        category=_joined([one.labels for one in found]),
        area=_joined([one.areas for one in found]),
        score=_joined([one.scores for one in found]),
        box=_optional([one.boxes for one in found]),
        mask=_masks([one.masks for one in found]),
        keypoints=_optional([one.keypoints for one in found]),
    )
    return truth, detections


def _objects(target: Objects | Boxes) -> Objects:
    """Boxes by their corners as COCO annotates objects: all to be found, the area that of the box."""
    if isinstance(target, Objects):
        return target
    corners = target.boxes.astype(np.float64)
    sizes = corners[:, 2:] - corners[:, :2]
    count = len(target.labels)
    return Objects(
        labels=target.labels,
        areas=sizes.prod(axis=1),
        crowd=np.zeros(count, dtype=np.bool_),
        ignored=np.zeros(count, dtype=np.bool_),
        matchable=np.ones(count, dtype=np.bool_),
        boxes=np.concatenate([corners[:, :2], sizes], axis=1),
    )


def _owners(lengths: Sequence[int]) -> Ints:
    return np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)


def _joined(columns: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(columns)


def _optional(columns: Sequence[NDArray[Any] | None]) -> NDArray[Any] | None:
    there = [column for column in columns if column is not None]
    return np.concatenate(there) if len(there) == len(columns) else None


def _masks(columns: Sequence[tuple[Mapping[str, Any], ...] | None]) -> tuple[Mapping[str, Any], ...] | None:
    return None if any(column is None for column in columns) else tuple(m for column in columns for m in column or ())
