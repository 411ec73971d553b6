"""Greedy matching of detections to objects, per image and class, by the rules of the official COCO scorer.

In the order of the scores (equal scores in the order given), each detection takes the object that it overlaps most
and at least by the threshold, among those not taken; of equal overlaps the last one given. Objects that are ignored,
or lie outside the area range, are taken only where no other object can be. A crowd can be taken by any number.
A detection counts unless it took an ignored object, or took none and lies outside the area range itself.

The official scorer marks a match by the annotation's id, and so counts the detection that took the annotation with
id 0 as unmatched; that is so here too (``GroundTruth.matchable``), to give its figures on files that count from 0.

Each of the A area ranges and T thresholds is a matching of its own. They are done at once, as bits a * T + t of an
int64, for all images and classes at once: first the best detections of all, then the second ones, and so on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmbench.core.metric import Floats, Ints
from mmbench.metrics.coco_settings import CocoSettings
from mmbench.metrics.instances import Detections, GroundTruth
from mmbench.metrics.match_rows import MatchRows
from mmbench.metrics.overlap import Overlap, Pairs

# Pairs that are measured at once: bounds the memory (keypoints: 17 numbers per pair).
_BLOCK = 1 << 16


def match(truth: GroundTruth, detections: Detections, settings: CocoSettings, overlap: Overlap) -> MatchRows:
    """The match lists of all images; ``overlap`` measures pairs of indices into ``detections`` and ``truth``."""
    classes = len(truth.categories)
    ranked = _rank(detections.image * classes + detections.category, detections.score, settings.limit)
    truth_key = truth.image * classes + truth.category
    ignored = _outside(truth.area, settings) | np.where(truth.ignored, _all_bits(settings), 0)
    candidates = _candidates(ranked, truth_key, settings, overlap)
    credited, dismissed = _assign(candidates, ranked, truth, ignored)
    outside = _outside(detections.area[ranked.index], settings)
    keys, counts = _truth_counts(truth_key, ignored, settings)
    return MatchRows(
        settings,
        tuple(truth.image_ids),
        tuple(truth.categories),
        image=ranked.key // max(classes, 1),
        category=ranked.key % max(classes, 1),
        rank=ranked.rank,
        score=detections.score[ranked.index],
        matched=credited,
        ignored=dismissed | (outside & ~credited),
        truth_image=keys // max(classes, 1),
        truth_category=keys % max(classes, 1),
        truth_count=counts,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Ranked:
    """The detections that count: index, key of image and class, and rank; int64 [d], sorted by key and rank."""

    index: Ints
    key: Ints
    rank: Ints


@dataclass(frozen=True, slots=True, eq=False)
class _Candidates:
    """Pairs that reach the lowest threshold, int64 [c], best pairs of a detection first.

    ``detection`` is a position in ``_Ranked``; ``bits`` are those of the thresholds that the pair reaches.
    """

    detection: Ints
    truth: Ints
    bits: Ints

    def __getitem__(self, part: Any) -> _Candidates:
        return _Candidates(self.detection[part], self.truth[part], self.bits[part])


def _rank(key: Ints, score: Floats, limit: int) -> _Ranked:
    index = np.lexsort((-score, key))
    key = key[index]
    rank = np.arange(key.size) - np.searchsorted(key, key)
    kept = rank < limit
    return _Ranked(index[kept], key[kept], rank[kept])


def _all_bits(settings: CocoSettings) -> int:
    return (1 << len(settings.areas) * len(settings.thresholds)) - 1


def _outside(area: Floats, settings: CocoSettings) -> Ints:
    """int64 [m]: the bits of the area ranges in which an area [m] does not lie."""
    steps = len(settings.thresholds)
    bits = np.zeros(area.size, dtype=np.int64)
    for a, allowed in enumerate(settings.areas):
        bits |= np.where((area < allowed.low) | (area > allowed.high), ((1 << steps) - 1) << (a * steps), 0)
    return bits


def _truth_counts(key: Ints, ignored: Ints, settings: CocoSettings) -> tuple[Ints, Ints]:
    """The keys [p] that occur, and int64 [p,A]: how many objects are to be found."""
    keys, inverse = np.unique(key, return_inverse=True)
    first_bits = np.arange(len(settings.areas)) * len(settings.thresholds)
    counts = np.zeros((keys.size, len(settings.areas)), dtype=np.int64)
    np.add.at(counts, inverse, 1 - ((ignored[:, None] >> first_bits) & 1))
    return keys, counts


def _candidates(ranked: _Ranked, truth_key: Ints, settings: CocoSettings, overlap: Overlap) -> _Candidates:
    """The pairs of the same image and class that reach a threshold."""
    # No overlap is asked to be more than this; as in the official code, where it guards thresholds of 1.
    thresholds = np.minimum(settings.thresholds, 1 - 1e-10)
    order = np.argsort(truth_key, kind="stable")
    parts = [(np.empty(0, dtype=np.int64),) * 2 + (np.empty(0),)]
    for positions in _blocks(ranked.key, truth_key[order]):
        truths = order[positions.truth]
        overlaps = overlap(Pairs(ranked.index[positions.detection], truths, positions.shapes))
        near = overlaps >= thresholds[0]
        parts.append((positions.detection[near], truths[near], overlaps[near]))
    detection, truth, overlaps = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    best_first = np.lexsort((-truth, -overlaps, detection))
    reached = (1 << np.searchsorted(thresholds, overlaps, side="right")) - 1
    bits = reached * sum(1 << (a * len(thresholds)) for a in range(len(settings.areas)))
    return _Candidates(detection, truth, bits)[best_first]


def _blocks(key: Ints, truth_key: Ints) -> Iterator[Pairs]:
    """All pairs of equal keys, as positions in the sorted ``key`` and ``truth_key``, whole groups at a time."""
    groups, starts, counts = np.unique(key, return_index=True, return_counts=True)
    truth_starts = np.searchsorted(truth_key, groups)
    truth_counts = np.searchsorted(truth_key, groups, side="right") - truth_starts
    kept = truth_counts > 0
    if not kept.any():
        return
    starts, counts, truth_starts, truth_counts = (x[kept] for x in (starts, counts, truth_starts, truth_counts))
    block = np.cumsum(counts * truth_counts) // _BLOCK
    for part in np.split(np.arange(block.size), np.flatnonzero(np.diff(block)) + 1):
        shapes = np.stack([counts[part], truth_counts[part]], axis=1)
        yield _product(starts[part], truth_starts[part], shapes)


def _product(starts: Ints, truth_starts: Ints, shapes: Ints) -> Pairs:
    """The pairs of groups [G] that start here and have these ``shapes`` [G,2]."""
    sizes = shapes.prod(axis=1)
    group = np.repeat(np.arange(sizes.size), sizes)
    within = np.arange(group.size) - (np.cumsum(sizes) - sizes)[group]
    row, column = np.divmod(within, shapes[group, 1])
    return Pairs(starts[group] + row, truth_starts[group] + column, shapes)


def _assign(candidates: _Candidates, ranked: _Ranked, truth: GroundTruth, ignored: Ints) -> tuple[Ints, Ints]:
    """int64 [d] twice: the bits where a detection is credited with an object, and where it took an ignored one."""
    table = _Table(ranked.key.size, truth.crowd, truth.matchable)
    for turn in _turns(candidates, ranked.rank):
        for part in turn:
            table.take(part, part.bits & ~ignored[part.truth])
        for part in turn:
            table.dismissed[part.detection] |= table.take(part, part.bits & ignored[part.truth])
    return table.credited, table.dismissed


class _Table:
    """What is taken so far, as bits: by detection [d] and by object [g]."""

    def __init__(self, detections: int, crowd: NDArray[np.bool_], matchable: NDArray[np.bool_]) -> None:
        self._single, self._matchable = np.where(crowd, 0, -1), np.where(matchable, -1, 0)
        self._settled, self._taken = np.zeros(detections, dtype=np.int64), np.zeros(crowd.size, dtype=np.int64)
        self.credited, self.dismissed = np.zeros_like(self._settled), np.zeros_like(self._settled)

    def take(self, part: _Candidates, wanted: Ints) -> Ints:
        """Takes what is wanted and free; each detection and each object occurs once in ``part``. Gives the bits."""
        got = wanted & ~self._settled[part.detection] & ~self._taken[part.truth]
        self._settled[part.detection] |= got
        self._taken[part.truth] |= got & self._single[part.truth]
        self.credited[part.detection] |= got & self._matchable[part.truth]
        return got


def _turns(candidates: _Candidates, rank: Ints) -> Iterator[list[_Candidates]]:
    """The candidates of all detections of one rank, rank after rank: the best ones, the second best ones, ..."""
    choice = np.arange(candidates.detection.size) - np.searchsorted(candidates.detection, candidates.detection)
    order = np.lexsort((choice, rank[candidates.detection]))
    steps = np.stack([rank[candidates.detection], choice], axis=1)[order]
    ends = np.flatnonzero(np.any(steps[1:] != steps[:-1], axis=1)) + 1
    turn: list[_Candidates] = []
    for part in np.split(order, ends):
        if turn and not choice[part[:1]].any():
            yield turn
            turn = []
        turn.append(candidates[part])
    yield turn
