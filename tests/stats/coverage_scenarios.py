"""Made test sets of paired sides, one family per kind of metric, for the coverage study.

A scenario draws a new test set of n samples with two models on it. Both see the same difficulty of each sample, so that
they are paired as real models are; the true difference is not 0. Where the metric has classes every one occurs in at
least some 24 of 200 samples, but for the scenarios named "rare".
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mmbench.stats.jackknife import block_codes, leave_one_out

Floats = NDArray[np.float64]
Random = np.random.Generator


class Side(Protocol):
    """One model on one test set of G groups."""

    @property
    def groups(self) -> int: ...

    def value(self) -> float: ...

    def replicates(self, weights: Floats) -> Floats:
        """The value [d] under weights [d,G]."""

    def left_out(self) -> Floats:
        """The value without each group (or block of groups)."""


@dataclass(frozen=True)
class SumsSide:
    """A metric that is a function of summed rows [G,k]."""

    table: Floats
    of_sums: Callable[[Floats], Floats]

    @property
    def groups(self) -> int:
        return len(self.table)

    def value(self) -> float:
        return float(self.of_sums(self.table.sum(axis=0)))

    def replicates(self, weights: Floats) -> Floats:
        return self.of_sums(weights @ self.table)

    def left_out(self) -> Floats:
        return self.of_sums(leave_one_out(self.table))


@dataclass(frozen=True)
class WeightedSide:
    """A metric of weighted records that is no function of sums, such as average precision."""

    groups: int
    of_weights: Callable[[Floats], Floats]
    blocks: int = 100

    def value(self) -> float:
        return float(self.of_weights(np.ones((1, self.groups)))[0])

    def replicates(self, weights: Floats) -> Floats:
        return np.concatenate([self.of_weights(part) for part in np.array_split(weights, max(1, len(weights) // 50))])

    def left_out(self) -> Floats:
        codes = block_codes(self.groups, self.blocks, 0)
        return self.replicates((codes != np.arange(codes.max() + 1)[:, None]).astype(np.float64))


@dataclass(frozen=True)
class Scenario:
    """``draw(random, n)`` gives both sides; ``kind`` is that of ``methods.choose_method``."""

    name: str
    kind: str
    draw: Callable[[Random, int], tuple[Side, Side]]
    claim: bool = True
    draws: int = 1000


# The first model is the better one by these, on the probit scale of quality.
_QUALITY = (0.08, 0.0)


def _probit(latent: Floats) -> Floats:
    """A smooth rising map to 0..1."""
    return 1 / (1 + np.exp(-1.7 * latent))


def mean_of(sums: Floats) -> Floats:
    """Sum over count, from (sum, count)."""
    return sums[..., 0] / sums[..., 1]


def accuracy(random: Random, n: int) -> tuple[Side, Side]:
    """Right or wrong, some 75 % right, some 15 % discordant."""
    difficulty = random.normal(0, 1, n)
    sides = []
    for quality in _QUALITY:
        hits = 0.75 + quality + difficulty + random.normal(0, 0.4, n) > 0
        sides.append(SumsSide(np.stack([hits, np.ones(n)], axis=1).astype(np.float64), mean_of))
    return sides[0], sides[1]


def vqa(random: Random, n: int) -> tuple[Side, Side]:
    """Soft accuracy in tenths, 1 to 7 questions on an image, images of unequal difficulty; groups are images."""
    sizes = random.integers(1, 8, max(n // 4, 2))
    image = np.repeat(np.arange(len(sizes)), sizes)
    difficulty = random.normal(0, 0.6, len(sizes))[image] + random.normal(0, 0.8, len(image))
    sides = []
    for quality in _QUALITY:
        voters = random.binomial(10, _probit(0.4 + quality + difficulty + random.normal(0, 0.4, len(image))))
        score = np.minimum(voters * 0.3, 1.0)
        table = np.stack([np.bincount(image, score), np.bincount(image)], axis=1)
        sides.append(SumsSide(table.astype(np.float64), mean_of))
    return sides[0], sides[1]


def miou_of(sums: Floats) -> Floats:
    """Mean over occurring classes of I / (P + T - I), from (I, P, T) x C."""
    hits, predicted, target = np.split(sums, 3, axis=-1)
    union = predicted + target - hits
    ratio = np.where(union > 0, hits / np.where(union > 0, union, 1), 0)
    return ratio.sum(axis=-1) / (union > 0).sum(axis=-1)


def segmentation(prevalence: Floats) -> Callable[[Random, int], tuple[Side, Side]]:
    """Areas per image of classes that occur with these probabilities and have skewed sizes."""
    classes = len(prevalence)
    ease = np.linspace(1.2, -0.2, classes)

    def draw(random: Random, n: int) -> tuple[Side, Side]:
        present = random.random((n, classes)) < prevalence
        target = np.floor(random.lognormal(6, 1, (n, classes))) * present
        difficulty = random.normal(0, 0.4, (n, 1)) + random.normal(0, 0.4, (n, classes))
        sides = []
        for quality in _QUALITY:
            rate = _probit(ease + quality + difficulty + random.normal(0, 0.25, (n, classes)))
            hits = np.floor(target * rate)
            missed = (target - hits).sum(axis=1, keepdims=True)
            extra = np.floor(missed * random.dirichlet(np.maximum(prevalence, 0.05) * 3, n))
            sides.append(SumsSide(np.concatenate([hits, hits + extra, target], axis=1), miou_of))
        return sides[0], sides[1]

    return draw


def f1_of(sums: Floats) -> Floats:
    """Mean over occurring classes of 2 TP / (P + T), from (TP, P, T) x C."""
    hits, predicted, target = np.split(sums, 3, axis=-1)
    both = predicted + target
    ratio = np.where(both > 0, 2 * hits / np.where(both > 0, both, 1), 0)
    return ratio.sum(axis=-1) / (both > 0).sum(axis=-1)


def classification(shares: Floats) -> Callable[[Random, int], tuple[Side, Side]]:
    """One label a sample of classes with these shares; wrong answers fall on the classes by share."""
    classes = len(shares)
    ease = np.linspace(1.3, 0.3, classes)

    def draw(random: Random, n: int) -> tuple[Side, Side]:
        label = random.choice(classes, n, p=shares)
        difficulty = random.normal(0, 1, n)
        guess = random.choice(classes, n, p=shares)
        truth = np.eye(classes)[label]
        sides = []
        for quality in _QUALITY:
            right = ease[label] + 2 * quality + difficulty + random.normal(0, 0.5, n) > 0
            other = np.where(random.random(n) < 0.7, guess, random.choice(classes, n))
            answer = np.eye(classes)[np.where(right, label, other)]
            sides.append(SumsSide(np.concatenate([answer * truth, answer, truth], axis=1), f1_of))
        return sides[0], sides[1]

    return draw


def bleu_of(sums: Floats) -> Floats:
    """Corpus BLEU-4 from matches x 4, n-grams x 4, candidate and reference length (Papineni et al. 2002)."""
    matches, totals = sums[..., :4], sums[..., 4:8]
    precision = np.exp(np.log(np.maximum(matches, 1e-9) / np.maximum(totals, 1)).mean(axis=-1))
    return precision * np.exp(np.minimum(0, 1 - sums[..., 9] / np.maximum(sums[..., 8], 1)))


def captions(random: Random, n: int) -> tuple[Side, Side]:
    """n-gram counts of captions of 7 to 15 words, short on average against their references."""
    reference = random.integers(8, 16, n)
    difficulty = random.normal(0, 0.5, n)
    sides = []
    for quality in _QUALITY:
        length = np.maximum(reference + random.integers(-3, 3, n), 5)
        rate = _probit(0.4 + quality + difficulty + random.normal(0, 0.3, n))
        matches = np.empty((n, 4))
        totals = np.stack([length - k for k in range(4)], axis=1)
        left = length
        for k in range(4):
            left = random.binomial(np.minimum(left, totals[:, k]), rate if k == 0 else 0.3 + 0.5 * rate)
            matches[:, k] = left
        table = np.concatenate([matches, totals, length[:, None], reference[:, None]], axis=1).astype(np.float64)
        sides.append(SumsSide(table, bleu_of))
    return sides[0], sides[1]


def cider(random: Random, n: int) -> tuple[Side, Side]:
    """A mean of skewed scores per image, with zeros, as CIDEr has them under frozen document frequencies."""
    difficulty = random.normal(0, 0.7, n)
    sides = []
    for quality in _QUALITY:
        score = np.maximum(np.exp(0.2 + quality + difficulty + random.normal(0, 0.6, n)) - 0.7, 0)
        sides.append(SumsSide(np.stack([np.minimum(score, 10), np.ones(n)], axis=1), mean_of))
    return sides[0], sides[1]


def average_precision(image: Floats, score: Floats, hit: Floats, positives: Floats) -> Callable[[Floats], Floats]:
    """Area under the interpolated precision under image weights [d,G] (all points, as PASCAL VOC 2010 has it).

    Detections [m] with their image, score and whether they are right; positives per image [G]. A hook: a side whose
    ``of_weights`` is a registered metric of kind ``weighted`` takes this one's place.
    """
    order = np.argsort(-score, kind="stable")
    image, right = image[order].astype(np.int64), hit[order] > 0

    def of_weights(weights: Floats) -> Floats:
        drawn = weights[:, image]
        seen = np.cumsum(drawn, axis=1)[:, right]
        drawn = drawn[:, right]
        precision = np.cumsum(drawn, axis=1) / np.maximum(seen, 1e-9)
        envelope = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        area: Floats = (drawn * envelope).sum(axis=1) / np.maximum(weights @ positives, 1e-9)
        return area

    return of_weights


def detection(random: Random, n: int) -> tuple[Side, Side]:
    """Mean of the AP of three classes; images hold none to several boxes, scores tell right from wrong partly."""
    counts = random.poisson([0.9, 0.6, 0.4], (n, 3))
    difficulty = random.normal(0, 0.5, n)
    sides = []
    for quality in _QUALITY:
        parts = [_detections(random, counts[:, c], difficulty + quality - 0.3 * c) for c in range(3)]
        sides.append(WeightedSide(n, lambda weights, parts=parts: np.mean([part(weights) for part in parts], axis=0)))
    return sides[0], sides[1]


def _detections(random: Random, counts: Floats, quality: Floats) -> Callable[[Floats], Floats]:
    n = len(counts)
    box = np.repeat(np.arange(n), counts)
    found = random.random(len(box)) < _probit(0.6 + quality[box])
    hits = box[found]
    false = np.repeat(np.arange(n), random.poisson(0.8, n))
    image = np.concatenate([hits, false])
    right = np.concatenate([np.ones(len(hits)), np.zeros(len(false))])
    score = random.normal(right * (0.9 + quality[image]), 1)
    return average_precision(image, score, right, counts.astype(np.float64))


_COMMON = np.array([1.0, 0.9, 0.8, 0.6, 0.5, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15])
_RARE = np.concatenate([_COMMON, [0.05, 0.03, 0.02]])

SCENARIOS = (
    Scenario("accuracy", "proportion", accuracy),
    Scenario("VQA accuracy, grouped", "mean", vqa),
    Scenario("CIDEr", "mean", cider),
    Scenario("mIoU, 11 classes", "sums", segmentation(_COMMON)),
    Scenario("macro-F1, 5 classes", "sums", classification(np.array([0.35, 0.25, 0.16, 0.12, 0.12]))),
    Scenario("BLEU", "sums", captions),
    Scenario("AP, 3 classes", "weighted", detection, draws=400),
    Scenario("mIoU, rare classes", "sums", segmentation(_RARE), claim=False),
    Scenario("macro-F1, rare classes", "sums", classification(np.array([0.6, 0.25, 0.1, 0.03, 0.02])), claim=False),
)
