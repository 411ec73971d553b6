"""Reads COCO annotations: the ground truth of instances and of keypoints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmbench.core.errors import LoadError
from mmbench.sources.coco.columns import Floats, GroundTruth, Ints, Kind
from mmbench.sources.coco.masks import read_masks
from mmbench.sources.coco.records import Id, Records
from mmbench.sources.json_file import read_json

# A mask of more pixels does not fit the run lengths of pycocotools.
_LARGEST = 1 << 16


def read_ground_truth(path: Path, kind: Kind) -> GroundTruth:
    """The annotations of a COCO file and what scoring boxes, masks or keypoints needs of them.

    A missing ``iscrowd`` is 0. Raises LoadError, in one sentence with the id or the key, when the file is not COCO
    JSON, an id occurs twice or is unknown, a box, an area, a mask or a list of keypoints is malformed.
    """
    content = read_json(path)
    if type(content) is not dict:
        raise LoadError(f"The file {str(path)!r} is no JSON object, expected 'images', 'annotations', 'categories'.")
    images, categories, annotations = (
        Records(content.get(key), str(path), word)
        for key, word in (("images", "image"), ("categories", "category"), ("annotations", "annotation"))
    )
    image_ids, sizes = _images(images)
    category_ids, names = _categories(categories)
    image = annotations.indices("image_id", _numbered(image_ids), "the images of the file")
    crowd = _flags(annotations)
    return GroundTruth(
        image_ids=image_ids,
        sizes=sizes,
        category_ids=category_ids,
        categories=names,
        image=image,
        category=annotations.indices("category_id", _numbered(category_ids), "the categories of the file"),
        area=_areas(annotations),
        crowd=crowd,
        ignored=crowd | _unlabelled(annotations) if kind == "keypoints" else crowd,
        matchable=np.array([number != 0 for number in annotations.ids()], dtype=np.bool_),
        box=None if kind == "segm" else read_boxes(annotations),
        mask=read_masks(annotations, sizes[image]) if kind == "segm" else None,
        keypoints=read_keypoints(annotations) if kind == "keypoints" else None,
    )


def read_boxes(records: Records) -> Floats:
    """float64 [m,4]; raises LoadError for a box that is not 4 finite numbers or has a negative size."""
    boxes = records.vectors("bbox", 4)
    records.require((boxes[:, 2:] >= 0).all(axis=1), "bbox", "[left, top, width, height] without a negative size")
    return boxes


def read_keypoints(records: Records) -> Floats:
    """float64 [m,K,3]; raises LoadError unless all have as many finite numbers as the first, three a keypoint."""
    first = records.column("keypoints")[0] if len(records) else []
    width = len(first) if type(first) is list else 0
    if width % 3 or (len(records) and not width):
        records.fail(0, "has 'keypoints' that are no list [x, y, visibility, x, ...].")
    return records.vectors("keypoints", width).reshape(len(records), width // 3, 3)


def _images(records: Records) -> tuple[tuple[Id, ...], Ints]:
    """The ids, ascending, and the heights and widths."""
    ids = records.ids()
    sides = [records.optional(key, -1) for key in ("height", "width")]
    for column, key in zip(sides, ("height", "width"), strict=True):
        good = np.array([type(side) is int and -1 <= side < _LARGEST for side in column], dtype=np.bool_)
        records.require(good, key, f"a whole number of pixels below {_LARGEST}")
    order = sorted(range(len(ids)), key=ids.__getitem__)
    return tuple(ids[i] for i in order), np.array(sides, dtype=np.int64).T.reshape(-1, 2)[order]


def _categories(records: Records) -> tuple[tuple[Id, ...], tuple[str, ...]]:
    """The ids, ascending, and the names; a class without a name is called by its id."""
    ids = records.ids()
    names = dict(zip(ids, records.optional("name", None), strict=True))
    ascending = tuple(sorted(ids))
    return ascending, tuple(str(number if names[number] is None else names[number]) for number in ascending)


def _numbered(ids: tuple[Id, ...]) -> dict[Id, int]:
    return {number: place for place, number in enumerate(ids)}


def _flags(records: Records) -> NDArray[np.bool_]:
    crowd: list[Any] = records.optional("iscrowd", 0)
    good = np.array([type(flag) in (int, bool) and flag in (0, 1) for flag in crowd], dtype=np.bool_)
    records.require(good, "iscrowd", "0 or 1")
    return np.array(crowd, dtype=np.bool_)


def _areas(records: Records) -> Floats:
    areas = records.numbers("area")
    records.require(areas >= 0, "area", "a number of pixels, 0 or more")
    return areas


def _unlabelled(records: Records) -> NDArray[np.bool_]:
    """bool [m]: persons without a labelled keypoint."""
    return np.equal(records.numbers("num_keypoints"), 0)
