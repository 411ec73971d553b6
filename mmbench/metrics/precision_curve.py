"""The precision and recall curves of one class, sorted once, then read under any weights of the images.

Two facts make it short. Precision only rises where a detection hits, so the highest one is at a hit, and the rest of a
curve need not be looked at. And the detections that count hardly differ between thresholds, so they are cumulated once
for an area range, and the differences apart. Weights stay integers: numpy cumulates those several times as fast.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmbench.core.metric import Floats, Ints
from mmbench.metrics.coco_settings import CocoSettings, Figure
from mmbench.metrics.match_rows import MatchRows

_RECALLS = np.linspace(0.0, 1.0, 101)
_EPSILON = np.spacing(1)


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The curve of one area range and threshold, as positions in the list of the class.

    ``hits`` [h]: the true positives. ``counted`` [h]: how many of the detections that count at the highest threshold
    come up to each hit. ``changed`` [x]: the detections that count here and not there (``sign`` 1), or the other way
    round (-1), and ``changes`` [h], how many of them come up to each hit.
    """

    hits: Ints
    counted: Ints
    changed: Ints
    sign: Ints
    changes: Ints

    def precision(self, weights: Ints, cumulated: Ints, positives: Ints) -> Floats:
        """float64 [D]: the mean of the interpolated precision at 101 recalls.

        All int64: ``weights`` [m,D] of the list's entries; ``cumulated`` [b+1,D] of those that count at the highest
        threshold; ``positives`` [D], the objects to be found, at least 1.
        """
        found = np.cumsum(weights[self.hits], axis=0)
        counted = cumulated[self.counted]
        if self.changed.size:
            counted += _cumulated(weights[self.changed] * self.sign[:, None])[self.changes]
        envelope = np.maximum.accumulate((found / (counted + _EPSILON))[::-1], axis=0)[::-1]
        reached = np.diff(_recalls_reached(found / positives), axis=0, prepend=0)
        mean: Floats = np.einsum("hd,hd->d", envelope, reached) / _RECALLS.size
        return mean


@dataclass(frozen=True, slots=True, eq=False)
class ClassCurves:
    """The detections [m] of one class, highest score first, and its objects per image [p].

    ``copy`` is -1; or c for an entry that counts once, where its image has a weight above c (see ``_copied``).
    ``base`` and ``curves``: by name of the area range, what counts at the highest threshold, and a curve for each
    threshold; only for the area ranges that are asked for.
    """

    settings: CocoSettings
    image: Ints
    rank: Ints
    copy: Ints
    base: Mapping[str, Ints]
    curves: Mapping[str, Sequence[Curve]]
    truth_image: Ints
    truth_count: Ints

    def values(self, by_image: Ints, figures: Sequence[Figure]) -> Floats:
        """float64 [D,F] under the weights [n,D] of the images; NaN where there is nothing to find."""
        weights = self._entry_weights(by_image)
        positives = self.truth_count.T @ by_image[self.truth_image]
        tables: dict[tuple[str, str, int], Floats] = {}
        values = np.empty((by_image.shape[1], len(figures)))
        for f, figure in enumerate(figures):
            key = (figure.measure, figure.area, figure.limit)
            if key not in tables:
                tables[key] = self._table(figure, weights, positives[self.settings.area_index(figure.area)])
            values[:, f] = self._read(figure, tables[key])
        return values

    def _read(self, figure: Figure, table: Floats) -> Floats:
        """[D]: one threshold of a table [T,D], or their mean."""
        at = self.settings.thresholds
        chosen: Floats = table.mean(axis=0) if figure.threshold is None else table[at.index(figure.threshold)]
        return chosen

    def _table(self, figure: Figure, weights: Ints, positives: Ints) -> Floats:
        """[T,D]: average precision, or recall, at every threshold; NaN for ``positives`` [D] of 0."""
        wanted, curves = np.maximum(positives, 1), self.curves[figure.area]
        if figure.measure == "precision":
            cumulated = _cumulated(weights[self.base[figure.area]])
            table = np.stack([curve.precision(weights, cumulated, wanted) for curve in curves])
        else:
            kept = [curve.hits[self.rank[curve.hits] < figure.limit] for curve in curves]
            table = np.stack([weights[hits].sum(axis=0) for hits in kept]) / wanted
        return np.where(positives > 0, table, np.nan)

    def _entry_weights(self, by_image: Ints) -> Ints:
        """[m,D]: how often each entry of the list occurs."""
        weights = by_image[self.image]
        tied = np.flatnonzero(self.copy >= 0)
        if tied.size:
            weights[tied] = weights[tied] > self.copy[tied, None]
        return weights


def class_curves(rows: MatchRows, copies: Ints, areas: Collection[str]) -> Iterator[ClassCurves]:
    """The curves of each class in these area ranges, for weights of the images up to ``copies`` [n].

    Equal scores go by image id, so that the order of the images in ``rows`` does not matter, then by rank.
    """
    place = np.empty(len(rows), dtype=np.int64)
    place[sorted(range(len(rows)), key=lambda i: rows.image_ids[i])] = np.arange(len(rows))
    order = np.lexsort((rows.rank, place[rows.image], -rows.score, rows.category))
    truth_order = np.argsort(rows.truth_category, kind="stable")
    edges = np.arange(len(rows.categories) + 1)
    ends = np.searchsorted(rows.category[order], edges)
    truth_ends = np.searchsorted(rows.truth_category[truth_order], edges)
    for c in range(len(rows.categories)):
        entries = order[ends[c] : ends[c + 1]]
        yield _curves_of(rows, entries, truth_order[truth_ends[c] : truth_ends[c + 1]], copies, areas)


def _curves_of(rows: MatchRows, entries: Ints, truths: Ints, copies: Ints, areas: Collection[str]) -> ClassCurves:
    steps = len(rows.settings.thresholds)
    firsts = {area: rows.settings.area_index(area) * steps for area in areas}
    kept = sum(((1 << steps) - 1) << first for first in firsts.values())
    counts, image = ~rows.ignored[entries] & kept, rows.image[entries]
    hits = rows.matched[entries] & counts
    index, copy = _copied(image, rows.score[entries], counts, hits, copies[image])
    entries, counts, hits = entries[index], counts[index], hits[index]
    base, curves = {}, {}
    for area, first in firsts.items():
        bits = range(first, first + steps)
        reference = _bit(counts, bits[-1])
        base[area] = np.flatnonzero(reference)
        curves[area] = [_curve(_bit(hits, bit), _bit(counts, bit), reference) for bit in bits]
    return ClassCurves(
        settings=rows.settings,
        image=rows.image[entries],
        rank=rows.rank[entries],
        copy=copy,
        base=base,
        curves=curves,
        truth_image=rows.truth_image[truths],
        truth_count=rows.truth_count[truths],
    )


def _copied(image: Ints, score: Floats, counts: Ints, hits: Ints, copies: Ints) -> tuple[Ints, Ints]:
    """The list [m] of a class with its ties within an image written out ``copies`` [m] times: indices, and ``copy``.

    An image that occurs twice gives its detections twice. Where two of them have one score, the official order is
    first, second, first, second; a weight on each would make it first, first, second, second. That makes a difference
    only if the two differ in ``counts`` or ``hits``.
    """
    tied = (image[1:] == image[:-1]) & (score[1:] == score[:-1])
    differ = tied & ((counts[1:] != counts[:-1]) | (hits[1:] != hits[:-1]))
    if not differ.any():
        return np.arange(image.size), np.full(image.size, -1)
    run = np.concatenate([[0], np.cumsum(~tied)])
    mixed = np.isin(run, run[1:][differ])
    repeats = np.where(mixed, copies, 1)
    index = np.repeat(np.arange(image.size), repeats)
    copy = np.arange(index.size) - (np.cumsum(repeats) - repeats)[index]
    order = np.lexsort((index, copy, run[index]))
    return index[order], np.where(mixed[index], copy, -1)[order]


def _bit(flags: Ints, bit: int) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (flags >> bit) & 1 == 1
    return found


def _curve(hit: NDArray[np.bool_], counts: NDArray[np.bool_], base: NDArray[np.bool_]) -> Curve:
    hits, changed = np.flatnonzero(hit), np.flatnonzero(counts != base)
    return Curve(
        hits=hits,
        counted=np.cumsum(base, dtype=np.int64)[hits],
        changed=changed,
        sign=np.where(counts[changed], 1, -1),
        changes=np.searchsorted(changed, hits, side="right"),
    )


def _cumulated(weights: Ints) -> Ints:
    """[m+1,D]: the sums of the first 0, 1, ..., m rows of ``weights`` [m,D]."""
    sums = np.zeros((weights.shape[0] + 1, weights.shape[1]), dtype=np.int64)
    np.cumsum(weights, axis=0, out=sums[1:])
    return sums


def _recalls_reached(recall: Floats) -> Ints:
    """How many of the 101 points are at most each ``recall`` in 0..1.

    The points below the nearest one are, those above it are not; the nearest one is compared, as rounding decides.
    """
    nearest = (recall * (_RECALLS.size - 1) + 0.5).astype(np.int64)
    return nearest + (_RECALLS[nearest] <= recall)
