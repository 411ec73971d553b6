"""Masks of COCO files: polygons and run lengths, checked and compressed.

pycocotools trusts what it is given: run lengths that do not fill the image make it loop for ever, huge coordinates make
it fill the memory. So everything is checked first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pycocotools import mask as masks

from mmbench.core.errors import LoadError
from mmbench.sources.coco.columns import Ints, Rle
from mmbench.sources.coco.records import Records

# Pixels, far beyond any picture; a polygon's edges are drawn point by point.
_FARTHEST = 100_000
# Characters of compressed counts that are checked at once.
_BLOCK = 1 << 20
# Seven groups of five bits hold any number that a mask of 2**32 pixels needs.
_LONGEST = 7


def read_masks(records: Records, sizes: Ints) -> tuple[Rle, ...]:
    """The compressed masks of ``segmentation``, for images of ``sizes`` int64 [m,2] (height, width).

    Raises LoadError for a polygon that is none, a size that is not the image's, run lengths that do not fill it.
    """
    segmentations = records.column("segmentation")
    encoded = [
        _encoded(records, place, value, height, width)
        for place, (value, (height, width)) in enumerate(zip(segmentations, sizes.tolist(), strict=True))
    ]
    broken = first_broken([rle["counts"] for rle in encoded], sizes.prod(axis=1))
    if broken is not None:
        height, width = sizes[broken].tolist()
        records.fail(broken, f"has run lengths that do not make up its image of {height} x {width} pixels.")
    return tuple(encoded)


def _encoded(records: Records, place: int, value: Any, height: int, width: int) -> Rle:
    if height < 1 or width < 1:
        raise LoadError("Masks need the height and the width of every image, in the file of annotations.")
    if type(value) is list:
        return _from_polygons(records, place, value, height, width)
    if type(value) is not dict or not {"size", "counts"} <= value.keys():
        records.fail(place, "has a 'segmentation' that is neither polygons nor an object with 'size' and 'counts'.")
    if value["size"] != [height, width]:
        records.fail(place, f"has a mask of size {str(value['size'])[:60]}, expected its image's [{height}, {width}].")
    counts = value["counts"]
    if type(counts) is list:
        return _from_runs(records, place, counts, height, width)
    if type(counts) is not str or not counts.isascii():
        records.fail(place, "has 'counts' that are neither a list of whole numbers nor compressed text.")
    return {"size": [height, width], "counts": counts.encode("ascii")}


def _from_polygons(records: Records, place: int, polygons: list[Any], height: int, width: int) -> Rle:
    if not polygons or not all(type(p) is list and len(p) >= 6 and len(p) % 2 == 0 for p in polygons):
        records.fail(place, "has a 'segmentation' without polygons of at least 3 points [x, y, x, y, ...].")
    points = [x for polygon in polygons for x in polygon]
    # NaN fails the comparison too.
    if not all(type(x) in (int, float) and abs(x) <= _FARTHEST for x in points):
        records.fail(place, f"has a polygon with a coordinate that is no number from {-_FARTHEST} to {_FARTHEST}.")
    merged: Rle = masks.merge(masks.frPyObjects(polygons, height, width))
    return merged


def _from_runs(records: Records, place: int, runs: list[Any], height: int, width: int) -> Rle:
    if not all(type(run) is int and run >= 0 for run in runs) or sum(runs) != height * width:
        records.fail(place, f"has run lengths that do not make up its image of {height} x {width} pixels.")
    encoded: Rle = masks.frPyObjects({"size": [height, width], "counts": runs}, height, width)
    return encoded


def first_broken(counts: Sequence[bytes], pixels: Ints) -> int | None:
    """The first mask whose compressed counts are malformed or do not sum to its ``pixels`` int64 [m]; None: all fine.

    The format (``rleToString`` of cocodataset/cocoapi): a number is groups of five bits, lowest first, as characters
    from "0" on; 32 says that more follow, 16 in the last group that the number is negative. From the fourth number on,
    the one two places before has been subtracted.
    """
    for start, end in _blocks([len(text) for text in counts]):
        broken = _broken(counts[start:end], pixels[start:end])
        if broken.any():
            return start + int(np.argmax(broken))
    return None


def _blocks(lengths: Sequence[int]) -> Iterator[tuple[int, int]]:
    start = total = 0
    for place, length in enumerate(lengths):
        if total + length > _BLOCK and place > start:
            yield start, place
            start, total = place, 0
        total += length
    yield start, len(lengths)


def _broken(counts: Sequence[bytes], pixels: Ints) -> NDArray[np.bool_]:
    """bool [m]. A malformed text may drag the ones after it along, never one before it."""
    groups = np.frombuffer(b"".join(counts), dtype=np.uint8).astype(np.int64) - ord("0")
    lengths = np.array([len(text) for text in counts], dtype=np.int64)
    owner = np.repeat(np.arange(lengths.size), lengths)
    ends = np.flatnonzero((groups & 32) == 0)
    broken = np.zeros(lengths.size, dtype=np.bool_)
    broken[owner[(groups < 0) | (groups > 63)]] = True
    last = (np.cumsum(lengths) - 1)[lengths > 0]
    broken[owner[last[(groups[last] & 32) != 0]]] = True
    length = np.diff(ends, prepend=-1)
    broken[owner[ends[length > _LONGEST]]] = True
    runs = _undone(_numbers(groups, ends, np.minimum(length, _LONGEST)), owner[ends], lengths.size)
    broken[owner[ends[runs < 0]]] = True
    totals = np.zeros(lengths.size, dtype=np.int64)
    np.add.at(totals, owner[ends], runs)
    broken[totals != pixels] = True
    return broken


def _numbers(groups: Ints, ends: Ints, length: Ints) -> Ints:
    """The signed numbers whose last groups stand at ``ends`` and that have this many groups."""
    numbers = np.zeros(ends.size, dtype=np.int64)
    for back in range(_LONGEST):
        has = length > back
        numbers[has] = numbers[has] * 32 + (groups[ends[has] - back] & 31)
    return np.where(groups[ends] & 16, numbers - (1 << (5 * length)), numbers)


def _undone(numbers: Ints, owner: Ints, owners: int) -> Ints:
    """Run lengths: the first number, and the running sums of the second, fourth, ... and of the third, fifth, ..."""
    place = np.arange(numbers.size) - np.searchsorted(owner, np.arange(owners))[owner]
    runs = numbers.copy()
    for parity in (0, 1):
        every_second = np.flatnonzero((place % 2 == parity) & (place > 0))
        runs[every_second] = _running_sums(numbers[every_second], owner[every_second])
    return runs


def _running_sums(numbers: Ints, owner: Ints) -> Ints:
    """Cumulated sums that begin anew with each ``owner`` (ascending)."""
    sums = np.cumsum(numbers)
    starts = np.flatnonzero(np.diff(owner, prepend=-1))
    counts = np.diff(starts, append=numbers.size)
    return sums - np.repeat((sums - numbers)[starts], counts)
