"""Reads COCO results: the detections of a system, for images and classes of a file of annotations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pycocotools import mask as masks

from mmbench.sources.coco.annotations import read_boxes, read_keypoints
from mmbench.sources.coco.columns import Detections, Floats, GroundTruth, Kind
from mmbench.sources.coco.masks import read_masks
from mmbench.sources.coco.records import Records
from mmbench.sources.json_file import read_json

_ANNOTATED = "the annotations"


def read_results(path: Path, truth: GroundTruth, kind: Kind) -> Detections:
    """The detections of a COCO results file, a list of objects with ``image_id``, ``category_id`` and ``score``.

    Beside them ``bbox``, ``segmentation`` (run lengths or polygons) or ``keypoints``, as the kind says. Images without
    detections are scored as such. Raises LoadError, in one sentence with the place or the key, when the file is not
    that, names an image or a category that ``truth`` does not have, or a value is malformed.
    """
    records = Records(read_json(path), str(path), "result")
    image = records.indices("image_id", _numbered(truth.image_ids), _ANNOTATED)
    # As in the official scorer, the first result says whether all have boxes, and then these give the area.
    box = read_boxes(records) if kind == "bbox" or records.first_has("bbox") else None
    mask = read_masks(records, truth.sizes[image]) if kind == "segm" else None
    keypoints = read_keypoints(records) if kind == "keypoints" else None
    if box is not None:
        area = box[:, 2] * box[:, 3]
    elif mask is not None:
        # One by one: pycocotools 2.0.11 refuses lists of more than 255.
        area = np.array([masks.area(rle) for rle in mask], dtype=np.float64)
    else:
        area = _extent(keypoints)
    return Detections(
        image=image,
        category=records.indices("category_id", _numbered(truth.category_ids), _ANNOTATED),
        score=records.numbers("score"),
        area=area,
        box=box,
        mask=mask,
        keypoints=keypoints,
    )


def _numbered(ids: tuple[int | str, ...]) -> dict[int | str, int]:
    return {number: place for place, number in enumerate(ids)}


def _extent(keypoints: Floats | None) -> Floats:
    """float64 [m]: the area of the smallest box around all keypoints [m,K,3], whether visible or not."""
    if keypoints is None or not keypoints.size:
        return np.empty(0)
    points = keypoints[:, :, :2]
    sides: Floats = points.max(axis=1) - points.min(axis=1)
    return sides[:, 0] * sides[:, 1]
