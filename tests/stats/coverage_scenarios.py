"""Made test sets of paired sides, one family per kind of metric, for the coverage study.

A scenario draws a new test set of n samples with two models on it. Both see the same difficulty of each sample, so that
they are paired as real models are; the true difference is not 0. Where the metric has classes every one occurs in at
least some 24 of 200 samples, but for the scenarios named "rare". The values are those of the shipped metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from mmbench.core.metric import TaskContext, metric_named
from mmbench.metrics.average_precision import average_precision
from mmbench.metrics.bleu import bleu
from mmbench.metrics.coco_settings import AreaRange, CocoSettings, Figure
from mmbench.metrics.match_rows import MatchRows
from mmbench.metrics.ratios import mean as mean_of
from mmbench.metrics.scoring import FEW_INSTANCES
from mmbench.metrics.weighing import BLOCKS
from mmbench.stats.jackknife import block_codes, leave_one_out

Floats = NDArray[np.float64]
Random = np.random.Generator
# The first model is the better one by these, on the probit scale of quality.
QUALITIES = (0.08, 0.0)


class Side(Protocol):
    """One model on one test set of G groups."""

    @property
    def groups(self) -> int: ...

    @property
    def few_instances(self) -> bool:
        """Whether a class that occurs is in few samples."""

    def value(self) -> float: ...

    def replicates(self, weights: Floats) -> Floats:
        """The value [d] under weights [d,G]."""

    def left_out(self) -> Floats:
        """The value without each group (or block of groups)."""


@dataclass(frozen=True)
class SumsSide:
    """A metric that is a function of summed rows [G,k]; ``targets`` [G,C] hold the classes, [G,0] without any."""

    table: Floats
    of_sums: Callable[[Floats], Floats]
    targets: Floats | None = None

    @property
    def few_instances(self) -> bool:
        return self.targets is not None and _few(self.targets)

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
    targets: Floats

    @property
    def few_instances(self) -> bool:
        return _few(self.targets)

    def value(self) -> float:
        return float(self.of_weights(np.ones((1, self.groups)))[0])

    def replicates(self, weights: Floats) -> Floats:
        return np.concatenate([self.of_weights(part) for part in np.array_split(weights, max(1, len(weights) // 50))])

    def left_out(self) -> Floats:
        codes = block_codes(self.groups, BLOCKS, 0)
        return self.replicates((codes != np.arange(codes.max() + 1)[:, None]).astype(np.float64))


class Draw(Protocol):
    """A new test set of n samples with two models of these qualities."""

    def __call__(self, random: Random, n: int, qualities: Sequence[float] = QUALITIES, /) -> tuple[Side, Side]: ...


def _few(targets: Floats) -> bool:
    support = (targets > 0).sum(axis=0)
    return bool(((support > 0) & (support < FEW_INSTANCES)).any())


@dataclass(frozen=True)
class Scenario:
    """``draw(random, n)`` gives both sides; ``kind`` is that of ``methods.choose_method``."""

    name: str
    kind: str
    draw: Draw
    claim: bool = True
    draws: int = 1000


def _probit(latent: Floats) -> Floats:
    """A smooth rising map to 0..1."""
    return 1 / (1 + np.exp(-1.7 * latent))


def accuracy(level: float) -> Draw:
    """Right or wrong; ``level`` 0.75 gives some 75 % right and 15 % discordant, 2 some 97 % and 4 %."""

    def draw(random: Random, n: int, qualities: Sequence[float] = QUALITIES) -> tuple[Side, Side]:
        difficulty = random.normal(0, 1, n)
        sides = []
        for quality in qualities:
            hits = level + quality + difficulty + random.normal(0, 0.4, n) > 0
            sides.append(SumsSide(np.stack([hits, np.ones(n)], axis=1).astype(np.float64), mean_of))
        return sides[0], sides[1]

    return draw


def vqa(random: Random, n: int, qualities: Sequence[float] = QUALITIES) -> tuple[Side, Side]:
    """Soft accuracy in tenths, 1 to 7 questions on an image, images of unequal difficulty; groups are images."""
    sizes = random.integers(1, 8, max(n // 4, 2))
    image = np.repeat(np.arange(len(sizes)), sizes)
    difficulty = random.normal(0, 0.6, len(sizes))[image] + random.normal(0, 0.8, len(image))
    sides = []
    for quality in qualities:
        voters = random.binomial(10, _probit(0.4 + quality + difficulty + random.normal(0, 0.4, len(image))))
        score = np.minimum(voters * 0.3, 1.0)
        table = np.stack([np.bincount(image, score), np.bincount(image)], axis=1)
        sides.append(SumsSide(table.astype(np.float64), mean_of))
    return sides[0], sides[1]


def miou_of(sums: Floats) -> Floats:
    """Mean over occurring classes of I / (P + T - I), from (I, P, T) x C."""
    return metric_named("miou").value(sums, _classes(sums))


def iou_of_last(sums: Floats) -> Floats:
    """I / (P + T - I) of the last class."""
    return metric_named("iou").value(sums, _classes(sums))[..., -1]


def _classes(sums: Floats) -> TaskContext:
    return TaskContext(tuple(str(c) for c in range(sums.shape[-1] // 3)), None)


def segmentation(prevalence: Floats, of_sums: Callable[[Floats], Floats] = miou_of) -> Draw:
    """Areas per image of classes that occur with these probabilities and have skewed sizes."""
    classes = len(prevalence)
    ease = np.linspace(1.2, -0.2, classes)

    def draw(random: Random, n: int, qualities: Sequence[float] = QUALITIES) -> tuple[Side, Side]:
        present = random.random((n, classes)) < prevalence
        target = np.floor(random.lognormal(6, 1, (n, classes))) * present
        difficulty = random.normal(0, 0.4, (n, 1)) + random.normal(0, 0.4, (n, classes))
        sides = []
        for quality in qualities:
            rate = _probit(ease + quality + difficulty + random.normal(0, 0.25, (n, classes)))
            hits = np.floor(target * rate)
            missed = (target - hits).sum(axis=1, keepdims=True)
            extra = np.floor(missed * random.dirichlet(np.maximum(prevalence, 0.05) * 3, n))
            table = np.concatenate([hits, hits + extra, target], axis=1)
            sides.append(SumsSide(table, of_sums, target if of_sums is miou_of else target[:, -1:]))
        return sides[0], sides[1]

    return draw


def f1_of(sums: Floats) -> Floats:
    """Mean over occurring classes of 2 TP / (P + T), from (TP, P, T) x C."""
    return metric_named("macro_f1").value(sums, _classes(sums))


def classification(shares: Floats) -> Draw:
    """One label a sample of classes with these shares; wrong answers fall on the classes by share."""
    classes = len(shares)
    ease = np.linspace(1.3, 0.3, classes)

    def draw(random: Random, n: int, qualities: Sequence[float] = QUALITIES) -> tuple[Side, Side]:
        label = random.choice(classes, n, p=shares)
        difficulty = random.normal(0, 1, n)
        guess = random.choice(classes, n, p=shares)
        truth = np.eye(classes)[label]
        sides = []
        for quality in qualities:
            right = ease[label] + 2 * quality + difficulty + random.normal(0, 0.5, n) > 0
            other = np.where(random.random(n) < 0.7, guess, random.choice(classes, n))
            answer = np.eye(classes)[np.where(right, label, other)]
            sides.append(SumsSide(np.concatenate([answer * truth, answer, truth], axis=1), f1_of, truth))
        return sides[0], sides[1]

    return draw


def bleu_of(sums: Floats) -> Floats:
    """Corpus BLEU-4 from n-grams x 4, matches x 4, candidate and reference length."""
    return bleu(sums)[..., 3]


def captions(random: Random, n: int, qualities: Sequence[float] = QUALITIES) -> tuple[Side, Side]:
    """n-gram counts of captions of 7 to 15 words, short on average against their references."""
    reference = random.integers(8, 16, n)
    difficulty = random.normal(0, 0.5, n)
    sides = []
    for quality in qualities:
        length = np.maximum(reference + random.integers(-3, 3, n), 5)
        rate = _probit(0.4 + quality + difficulty + random.normal(0, 0.3, n))
        matches = np.empty((n, 4))
        totals = np.stack([length - k for k in range(4)], axis=1)
        left = length
        for k in range(4):
            left = random.binomial(np.minimum(left, totals[:, k]), rate if k == 0 else 0.3 + 0.5 * rate)
            matches[:, k] = left
        table = np.concatenate([totals, matches, length[:, None], reference[:, None]], axis=1).astype(np.float64)
        sides.append(SumsSide(table, bleu_of))
    return sides[0], sides[1]


def cider(random: Random, n: int, qualities: Sequence[float] = QUALITIES) -> tuple[Side, Side]:
    """A mean of skewed scores per image, with zeros, as CIDEr has them under frozen document frequencies."""
    difficulty = random.normal(0, 0.7, n)
    sides = []
    for quality in qualities:
        score = np.maximum(np.exp(0.2 + quality + difficulty + random.normal(0, 0.6, n)) - 0.7, 0)
        sides.append(SumsSide(np.stack([np.minimum(score, 10), np.ones(n)], axis=1), mean_of))
    return sides[0], sides[1]


# AP at an IoU of 0.5, whatever the area.
_AP50 = CocoSettings((0.5,), (AreaRange("all", 0, 1e10),), 100, (Figure("ap50_100", "precision", "all", 100, 0.5),))


def detection(rates: Floats) -> Draw:
    """AP50 over classes; images hold Poisson numbers of their boxes, scores tell right from wrong partly."""

    def draw(random: Random, n: int, qualities: Sequence[float] = QUALITIES) -> tuple[Side, Side]:
        counts = random.poisson(rates, (n, len(rates)))
        difficulty = random.normal(0, 0.5, n)
        sides = []
        for quality in qualities:
            found = [_found(random, counts[:, c], difficulty + quality - 0.3 * c) for c in range(len(rates))]
            sides.append(WeightedSide(n, _ap_of(found, counts), counts))
        return sides[0], sides[1]

    return draw


def _found(random: Random, counts: Floats, quality: Floats) -> tuple[Floats, Floats, Floats]:
    """Detections [m] of a class: image, whether they are right, score; some 0.9 wrong ones to an object."""
    n = len(counts)
    box = np.repeat(np.arange(n), counts)
    hits = box[random.random(len(box)) < _probit(0.6 + quality[box])]
    false = np.repeat(np.arange(n), random.poisson(min(0.8, 2 * counts.mean()), n))
    image = np.concatenate([hits, false])
    right = np.concatenate([np.ones(len(hits)), np.zeros(len(false))])
    return image, right, random.normal(right * (0.9 + quality[image]), 1)


def _ap_of(found: list[tuple[Floats, Floats, Floats]], counts: Floats) -> Callable[[Floats], Floats]:
    image, right, score = (np.concatenate(parts) for parts in zip(*found, strict=True))
    truth_image, truth_category = np.nonzero(counts)
    rows = MatchRows(
        settings=_AP50,
        image_ids=tuple(range(len(counts))),
        categories=tuple(str(c) for c in range(counts.shape[1])),
        image=image.astype(np.int64),
        category=np.repeat(np.arange(len(found)), [len(part[0]) for part in found]),
        rank=np.zeros(len(image), np.int64),
        score=score,
        matched=right.astype(np.int64),
        ignored=np.zeros(len(image), np.int64),
        truth_image=truth_image,
        truth_category=truth_category,
        truth_count=counts[truth_image, truth_category][:, None],
    )
    return lambda weights: average_precision(rows, weights.astype(np.int64))[:, 0]


_COMMON = np.array([1.0, 0.9, 0.8, 0.6, 0.5, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15])
_RARE = np.concatenate([_COMMON, [0.05, 0.03, 0.02]])

SCENARIOS = (
    Scenario("accuracy", "proportion", accuracy(0.75)),
    Scenario("accuracy, 97 % right", "proportion", accuracy(2.0)),
    Scenario("VQA accuracy, grouped", "mean", vqa),
    Scenario("CIDEr", "mean", cider),
    Scenario("mIoU, 11 classes", "sums", segmentation(_COMMON)),
    Scenario("IoU of one class", "sums", segmentation(_COMMON, iou_of_last), claim=False),
    Scenario("macro-F1, 5 classes", "sums", classification(np.array([0.35, 0.25, 0.16, 0.12, 0.12]))),
    Scenario("BLEU", "sums", captions),
    Scenario("AP, 3 classes", "weighted", detection(np.array([0.9, 0.6, 0.4])), draws=400),
    Scenario("mIoU, rare classes", "sums", segmentation(_RARE), claim=False),
    Scenario("IoU of a rare class", "sums", segmentation(_RARE, iou_of_last), claim=False),
    Scenario("macro-F1, rare classes", "sums", classification(np.array([0.6, 0.25, 0.1, 0.03, 0.02])), claim=False),
    Scenario("AP, rare classes", "weighted", detection(np.array([0.9, 0.6, 0.03])), claim=False, draws=400),
)
