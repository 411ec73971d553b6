"""The source ``coco``: images with annotated objects, in the files of COCO detection and keypoints."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmbench.core.prediction import Detections
from mmbench.core.registry import source
from mmbench.core.source import SourceRequest
from mmbench.core.targets import Objects
from mmbench.sources.annotated import AnnotatedItem, AnnotatedSource
from mmbench.sources.annotation_file import filled, located, stamp_of
from mmbench.sources.coco import columns
from mmbench.sources.coco.annotations import read_ground_truth
from mmbench.sources.decoding import Table
from mmbench.sources.opened import data_root, validated

KINDS: dict[str, columns.Kind] = {"detection": "bbox", "instance-segmentation": "segm", "keypoints": "keypoints"}


class ObjectParams(Table):
    """``[source.params]``: the annotation file and the pattern of the pictures under the root.

    ``{name}`` stands for a parameter of the suite, ``{split}`` for the split; in ``image`` ``{image}`` for the id.
    """

    annotations: str
    image: str = ""


@dataclass(frozen=True)
class CocoSource(AnnotatedSource):
    """An AnnotatedSource that keeps the annotations as columns: results are read against them."""

    truth: columns.GroundTruth | None = field(default=None, compare=False)


@source("coco")
class ObjectSource:
    """Images with annotated objects, in the official files of COCO."""

    @classmethod
    def open(cls, request: SourceRequest) -> CocoSource:
        """Reads the annotations for the suite's task; raises LoadError when they are missing or malformed."""
        params = validated(ObjectParams, request.spec)
        root = data_root(request)
        file = located(root, params.annotations, request)
        truth = read_ground_truth(file, KINDS[request.spec.task])
        places = [filled(params.image, request, image=number) for number in truth.image_ids]
        items = tuple(
            AnnotatedItem(str(number), target, image)
            for number, target, image in zip(truth.image_ids, objects_of(truth), places, strict=True)
        )
        return CocoSource(root, items, stamp_of(file), classes=truth.categories, truth=truth)


def objects_of(truth: columns.GroundTruth) -> list[Objects]:
    """The objects of each image, in the order of ``truth.image_ids``."""
    order, ends = _by_image(truth.image, len(truth.image_ids))
    parts = [order[start:end] for start, end in pairwise(ends)]
    return [
        Objects(
            labels=truth.category[part],
            areas=truth.area[part],
            crowd=truth.crowd[part],
            ignored=truth.ignored[part],
            matchable=truth.matchable[part],
            boxes=_rows(truth.box, part),
            masks=_masks(truth.mask, part),
            keypoints=_rows(truth.keypoints, part),
        )
        for part in parts
    ]


def detections_of(truth: columns.GroundTruth, found: columns.Detections) -> dict[str, Detections]:
    """The detections of each image of the annotations, none for an image that the results do not name."""
    order, ends = _by_image(found.image, len(truth.image_ids))
    predictions = {}
    for number, (start, end) in zip(truth.image_ids, pairwise(ends), strict=True):
        part = order[start:end]
        predictions[str(number)] = Detections(
            sample_id=str(number),
            scores=found.score[part],
            labels=found.category[part],
            areas=found.area[part],
            boxes=_rows(found.box, part),
            masks=_masks(found.mask, part),
            keypoints=_rows(found.keypoints, part),
        )
    return predictions


def _by_image(image: NDArray[np.int64], images: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The objects sorted by image, and where those of each image start, with the end behind them."""
    order = np.argsort(image, kind="stable")
    return order, np.searchsorted(image[order], np.arange(images + 1))


def _rows(column: NDArray[np.float64] | None, part: NDArray[np.intp]) -> NDArray[np.float64] | None:
    return None if column is None else column[part]


def _masks(column: tuple[columns.Rle, ...] | None, part: NDArray[np.intp]) -> tuple[dict[str, Any], ...] | None:
    """Run lengths with text in the place of bytes, as JSON and digests need it."""
    if column is None:
        return None
    return tuple({"size": tuple(column[i]["size"]), "counts": _text(column[i]["counts"])} for i in part.tolist())


def _text(counts: bytes | str) -> str:
    return counts if isinstance(counts, str) else counts.decode("ascii")
