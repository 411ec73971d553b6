"""Match lists: what detection metrics keep of each image; merging is concatenation, a slice is a selection."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmbench.core.metric import Floats, Ints
from mmbench.metrics.coco_settings import CocoSettings


@dataclass(frozen=True, slots=True, eq=False)
class MatchRows:
    """The matches of n images: d detections of the highest scores, and p counts of ground truth.

    ``image`` and ``truth_image`` index ``image_ids``, ``category`` and ``truth_category`` index ``categories``.
    ``rank`` is the place of a detection among those of its image and class, 0 for the highest score.
    Bit a * T + t of ``matched`` says that the detection found an object at area range a and threshold t; that bit of
    ``ignored`` says that it does not count there. ``truth_count`` [p,A] are the objects to be found in each area range
    in one image and class; an image without objects of a class has none. All columns are int64 but ``score``, float64.

    Raises ValueError when an image id occurs twice or columns differ in length.
    """

    settings: CocoSettings
    image_ids: tuple[int | str, ...]
    categories: tuple[str, ...]
    image: Ints
    category: Ints
    rank: Ints
    score: Floats
    matched: Ints
    ignored: Ints
    truth_image: Ints
    truth_category: Ints
    truth_count: Ints

    def __post_init__(self) -> None:
        if len(set(self.image_ids)) != len(self.image_ids):
            raise ValueError("an image id occurs twice")
        for names in (_DETECTION, _TRUTH):
            lengths = {len(getattr(self, name)) for name in names}
            if len(lengths) != 1:
                raise ValueError(f"the columns {', '.join(names)} differ in length: {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.image_ids)

    @classmethod
    def concatenate(cls, parts: Sequence[MatchRows]) -> MatchRows:
        """The images of all parts (at least one), in their order.

        Raises ValueError when the parts differ in settings or classes, or share an image.
        """
        first = parts[0]
        if any(part.settings != first.settings or part.categories != first.categories for part in parts):
            raise ValueError("the parts differ in settings or classes")
        starts = np.cumsum([0, *(len(part) for part in parts[:-1])])
        columns: dict[str, Any] = {
            name: np.concatenate([getattr(part, name) for part in parts]) for name in (*_DETECTION, *_TRUTH)
        }
        for name, lengths in (("image", _DETECTION[0]), ("truth_image", _TRUTH[0])):
            columns[name] += np.repeat(starts, [len(getattr(part, lengths)) for part in parts])
        return replace(first, image_ids=tuple(i for part in parts for i in part.image_ids), **columns)

    def select(self, indices: Sequence[int] | NDArray[np.integer]) -> MatchRows:
        """The images at these indices, each once, in this order; raises ValueError when one occurs twice."""
        index = np.asarray(indices, dtype=np.int64)
        place = np.full(len(self), -1, dtype=np.int64)
        place[index] = np.arange(index.size)
        detections, truths = place[self.image] >= 0, place[self.truth_image] >= 0
        columns: dict[str, Any] = {name: getattr(self, name)[detections] for name in _DETECTION}
        columns |= {name: getattr(self, name)[truths] for name in _TRUTH}
        columns["image"], columns["truth_image"] = place[columns["image"]], place[columns["truth_image"]]
        return replace(self, image_ids=tuple(self.image_ids[i] for i in index), **columns)

    def flags(self, column: Ints) -> NDArray[np.bool_]:
        """``matched`` or ``ignored`` [d] as bool [d,A,T]."""
        areas, thresholds = len(self.settings.areas), len(self.settings.thresholds)
        bits = np.arange(areas * thresholds, dtype=np.int64)
        return ((column[:, None] >> bits) & 1).astype(np.bool_).reshape(-1, areas, thresholds)


_COLUMNS = tuple(field.name for field in fields(MatchRows))[3:]
_DETECTION, _TRUTH = _COLUMNS[:-3], _COLUMNS[-3:]
