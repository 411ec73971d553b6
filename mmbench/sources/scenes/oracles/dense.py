"""Decoders of the tasks about objects in RGB and depth: what each cell shows, then the law."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmbench.sources.scenes.label_chances import chances
from mmbench.sources.scenes.oracles import feel, see
from mmbench.sources.scenes.oracles.pixels import Mask, Window
from mmbench.sources.scenes.policy import best_policy
from mmbench.sources.scenes.regimes import BLANK, HIDDEN, Law, laws_of
from mmbench.sources.scenes.scene import MODALITIES, PRIMARY
from mmbench.sources.scenes.stream import raw_words
from mmbench.sources.scenes.tasks.detection import Found

_BACKGROUND = ("background",)


class Shown(NamedTuple):
    """An object: bounding box, mask in it, the law's cue and what each observed modality shows, by its place."""

    window: Window
    mask: Mask
    cue: int
    shown: Mapping[int, int]


class _Reading(NamedTuple):
    """What one modality shows in one cell."""

    cell: int
    one: Shown


def shown_in(inputs: Mapping[str, Any], observed: Sequence[str], regime: str) -> list[Shown]:
    """The objects that any of the modalities ``observed`` shows."""
    sixteen = max(law.signatures for law in laws_of(regime)) > PRIMARY
    hidden = dict.fromkeys((MODALITIES.index(name) for name in observed), HIDDEN)
    found: dict[int, Shown] = {}
    for reading in _readings(inputs, observed, sixteen):
        before = found[reading.cell].shown if reading.cell in found else hidden
        found[reading.cell] = reading.one._replace(shown={**before, **reading.one.shown})
    return [found[cell] for cell in sorted(found)]


def _readings(inputs: Mapping[str, Any], observed: Sequence[str], sixteen: bool) -> Iterator[_Reading]:
    if "rgb" in observed:
        picture = see.look(inputs["rgb"])
        for seen in picture.objects:
            value = _value(seen.texture, seen.colour, sixteen)
            yield _Reading(seen.cell, Shown(seen.window, seen.mask, picture.cue, {0: value}))
    if "depth" in observed:
        surface = feel.feel(inputs["depth"])
        for felt in surface.objects:
            value = _value(felt.ramp, felt.level, sixteen)
            yield _Reading(felt.cell, Shown(felt.window, felt.mask, surface.cue, {1: value}))


def _value(first: int, second: int, sixteen: bool) -> int:
    return first + PRIMARY * second if sixteen and first != BLANK else first


def law_of(cue: int, regime: str) -> Law:
    """The law of a regime that a cue tells."""
    return next(law for law in laws_of(regime) if law.cue == cue)


@dataclass(frozen=True, slots=True)
class DetectOracle:
    """Each object that is observed as a box with every possible class, scored by its chance; one class at ``most``."""

    regime: str
    observed: tuple[str, ...]
    most: int | None = None

    def predict(self, sample_id: str, inputs: Mapping[str, Any]) -> Found:  # noqa: ARG002
        """Detections."""
        rows = []
        for one in shown_in(inputs, self.observed, self.regime):
            likely = chances(law_of(one.cue, self.regime), one.shown)
            down, across = one.window
            box = (across.start, down.start, across.stop, down.stop)
            ranked = sorted(likely, key=lambda label: -likely[label])[: self.most]
            rows += [(*box, likely[label], label) for label in ranked]
        table = np.array(rows, dtype=np.float64).reshape(-1, 6)
        return Found(table[:, :4], table[:, 4], table[:, 5].astype(np.int64))


@dataclass(frozen=True, slots=True)
class SegmentOracle:
    """Labels drawn pixel by pixel from the best policy for mean IoU, which is fitted to training samples.

    ``steps`` holds, by what is observed, the cumulated chances of the labels.
    """

    regime: str
    observed: tuple[str, ...]
    classes: int
    steps: Mapping[tuple[Any, ...], NDArray[np.float64]]

    @classmethod
    def fit(
        cls, samples: Sequence[tuple[Mapping[str, Any], NDArray[np.uint8]]], regime: str, observed: tuple[str, ...]
    ) -> SegmentOracle:
        """Counts pixels by what is observed and true on training samples of (inputs, label map)."""
        classes = 1 + max(law.classes for law in laws_of(regime))
        table: dict[tuple[Any, ...], NDArray[np.int64]] = {_BACKGROUND: np.zeros(classes, dtype=np.int64)}
        for inputs, labels in samples:
            left = np.bincount(labels.ravel(), minlength=classes)
            for one in shown_in(inputs, observed, regime):
                inside = np.bincount(labels[one.window][one.mask], minlength=classes)
                table[_key(one)] = table.get(_key(one), np.zeros(classes, dtype=np.int64)) + inside
                left = left - inside
            table[_BACKGROUND] = table[_BACKGROUND] + left
        rule = best_policy(np.array(list(table.values()), dtype=np.float64)).rule
        return cls(regime, observed, classes, dict(zip(table, rule.cumsum(axis=1), strict=True)))

    def predict(self, sample_id: str, inputs: Mapping[str, Any]) -> NDArray[np.uint8]:
        """uint8 [H, W]."""
        size = next(iter(inputs.values())).shape[:2]
        draws = (raw_words(size[0] * size[1], "oracle", sample_id) >> np.uint64(11)).reshape(size) / 2.0**53
        labels = self._drawn(_BACKGROUND, draws)
        for one in shown_in(inputs, self.observed, self.regime):
            labels[one.window][one.mask] = self._drawn(_key(one), draws[one.window][one.mask])
        return labels

    def _drawn(self, key: tuple[Any, ...], draws: NDArray[np.float64]) -> NDArray[np.uint8]:
        steps = self.steps[key]
        drawn = np.searchsorted(steps, draws * steps[-1], side="right")
        labels: NDArray[np.uint8] = np.minimum(drawn, self.classes - 1).astype(np.uint8)
        return labels


def _key(one: Shown) -> tuple[Any, ...]:
    return (one.cue, *sorted(one.shown.items()))
