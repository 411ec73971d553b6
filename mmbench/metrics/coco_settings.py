"""The official settings of the COCO challenges: thresholds, area ranges, limits, and the figures read from them.

Source: Lin et al. 2014 and the official scorer (cocodataset/cocoapi, ``cocoeval.py``, parameters of ``bbox``, ``segm``
and ``keypoints``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from mmbench.core.errors import UnknownName

_SIGMAS_TIMES_TEN = (
    0.26,
    0.25,
    0.25,
    0.35,
    0.35,
    0.79,
    0.79,
    0.72,
    0.72,
    0.62,
    0.62,
    1.07,
    1.07,
    0.87,
    0.87,
    0.89,
    0.89,
)
# How far annotators scatter at each of COCO's 17 keypoints of a person, relative to the root of its area.
PERSON_SIGMAS = tuple(sigma / 10 for sigma in _SIGMAS_TIMES_TEN)


@dataclass(frozen=True, slots=True)
class AreaRange:
    """Object areas in pixels, both ends included."""

    name: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Figure:
    """One published figure; its name ends with the detections per image and class that count (maxDets).

    ``threshold`` None: the mean over all thresholds.
    """

    name: str
    measure: Literal["precision", "recall"]
    area: str
    limit: int
    threshold: float | None = None


@dataclass(frozen=True, slots=True)
class CocoSettings:
    """How detections are matched and what is read from the matches.

    ``limit`` is the largest number of detections per image and class, those of the highest scores.
    """

    thresholds: tuple[float, ...]
    areas: tuple[AreaRange, ...]
    limit: int
    figures: tuple[Figure, ...]

    def area_index(self, name: str) -> int:
        """The index of an area range."""
        return [area.name for area in self.areas].index(name)

    def named(self, names: Sequence[str] | None) -> tuple[Figure, ...]:
        """The figures of these names, all of them for None; raises UnknownName."""
        known = {figure.name: figure for figure in self.figures}
        for name in names or ():
            if name not in known:
                raise UnknownName("COCO figure", name, known)
        return self.figures if names is None else tuple(known[name] for name in names)


def _figures(measure: Literal["precision", "recall"], sizes: Sequence[str], limit: int) -> tuple[Figure, ...]:
    """The mean over thresholds for each of ``sizes``; the short names are those of the COCO leaderboard."""
    prefix = "ap" if measure == "precision" else "ar"
    return tuple(Figure(f"{prefix}_{size}_{limit}", measure, size, limit) for size in sizes)


def _at_thresholds(measure: Literal["precision", "recall"], limit: int) -> tuple[Figure, ...]:
    """The mean over thresholds, at 0.50 and at 0.75, of all areas."""
    prefix = "ap" if measure == "precision" else "ar"
    named = ((f"{prefix}_{limit}", None), (f"{prefix}50_{limit}", 0.5), (f"{prefix}75_{limit}", 0.75))
    return tuple(Figure(name, measure, "all", limit, threshold) for name, threshold in named)


_THRESHOLDS = tuple(np.linspace(0.5, 0.95, 10).tolist())
_ALL = AreaRange("all", 0.0, 1e5**2)
_SMALL = AreaRange("small", 0.0, 32.0**2)
_MEDIUM = AreaRange("medium", 32.0**2, 96.0**2)
_LARGE = AreaRange("large", 96.0**2, 1e5**2)
_SIZES = ("small", "medium", "large")

# For boxes and for masks: the 12 official figures, in their order.
INSTANCES = CocoSettings(
    _THRESHOLDS,
    (_ALL, _SMALL, _MEDIUM, _LARGE),
    100,
    (
        *_at_thresholds("precision", 100),
        *_figures("precision", _SIZES, 100),
        *(Figure(f"ar_{limit}", "recall", "all", limit) for limit in (1, 10, 100)),
        *_figures("recall", _SIZES, 100),
    ),
)

# For keypoints: the 10 official figures, in their order.
KEYPOINTS = CocoSettings(
    _THRESHOLDS,
    (_ALL, _MEDIUM, _LARGE),
    20,
    (
        *_at_thresholds("precision", 20),
        *_figures("precision", _SIZES[1:], 20),
        *_at_thresholds("recall", 20),
        *_figures("recall", _SIZES[1:], 20),
    ),
)
