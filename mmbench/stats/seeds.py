"""Several training seeds measured on the same test samples: two crossed sources of variance.

A score of K seeds on G groups of samples is the mean over seeds of the score of each. It varies with the seeds (a new
training) and with the samples (a new test set); both seeds and groups are drawn anew, crossed: every seed meets the
same samples. Resampling samples inside seeds, or seeds alone, covers too little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, inf, isnan

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from mmbench.stats.intervals import student_quantile, student_tail
from mmbench.stats.jackknife import Jackknife
from mmbench.stats.resampling import draw_weights

Floats = NDArray[np.float64]

# The second half of Philox's key for draws of seeds; the side is added, as two sides are trained independently.
_PURPOSE = int.from_bytes(b"trainsee", "little")


@dataclass(frozen=True, slots=True)
class TwoWay:
    """``value``, its standard ``error`` over new seeds and new samples, and Satterthwaite's degrees of freedom.

    ``seeds`` is the part of the variance that more seeds would shrink, the rest shrinks with more samples.
    """

    value: float
    error: float
    degrees: float
    seeds: float = float("nan")

    @property
    def p(self) -> float:
        """Two-sided p-value of "the value is 0", by Student's t; 1 where nothing can be said."""
        if isnan(self.error) or self.value == 0:
            return 1.0
        return 2 * student_tail(abs(self.value) / self.error, self.degrees) if self.error > 0 else 0.0

    def groups_to_detect(self, groups: int, *, alpha: float = 0.05, power: float = 0.8) -> float:
        """Groups of samples with which a true difference of this ``value`` is found with probability ``power``.

        The variance over seeds stays as it is: infinite where it alone hides the difference, or the value is 0.
        """
        reach = (student_quantile(1 - alpha / 2, self.degrees) + float(ndtri(power))) ** 2
        left = self.value**2 - reach * self.seeds
        if not left > 0:
            return inf
        return float(max(2, ceil(groups * reach * max(self.error**2 - self.seeds, 0.0) / left)))


def two_way(sides: Sequence[Sequence[Jackknife]], signs: Sequence[float]) -> TwoWay:
    """sum_j signs_j (mean over the seeds of side j), each side K_j >= 2 seeds over the same groups.

    One side with sign 1 is a score; two sides with signs 1, -1 are the difference of two models whose seeds are
    independent; one side of differences is that of models that share their seeds (same data order and start).

    The variance is that over seeds, sum_j s_j^2 / K_j, plus that over groups, the jackknife of the signed mean; the
    interaction of seed and group is in both and is taken out once, but never so that less than the larger part remains
    (two-way random effects, Searle, Casella and McCulloch 1992, section 4.3; the bound keeps the estimate positive).
    Degrees of freedom are Satterthwaite's (1946) over the parts. Nominal 95 % intervals cover 93 to 96 % for 3 to 10
    seeds whose spread is half to twice the standard error of a test set (``methods.choose_method``); a score of 3 seeds
    with four times that spread is covered in 90 %. Undefined (NaN) with fewer than 2 seeds a side or 2
    groups. Raises ValueError when the sides differ in groups.
    """
    if len({seed.groups for side in sides for seed in side}) != 1:
        raise ValueError("all seeds of all sides need the same groups")
    means = [float(np.mean([seed.value for seed in side])) for side in sides]
    value = float(np.dot(signs, means))
    influences = [np.stack([seed.influences for seed in side]) for side in sides]
    groups = influences[0].shape[1]
    if groups < 2 or min(len(side) for side in sides) < 2:
        return TwoWay(value, float("nan"), 0.0)
    seeds = [float(np.var([seed.value for seed in side], ddof=1)) / len(side) for side in sides]
    joint = sum(sign * side.mean(axis=0) for sign, side in zip(signs, influences, strict=True))
    parts = [(part, len(side) - 1.0) for part, side in zip(seeds, sides, strict=True)]
    parts.append((float(np.square(joint).sum()) / (groups * (groups - 1)), groups - 1.0))
    interaction = sum(_interaction(side) for side in influences)
    variance = max(sum(part for part, _ in parts) - interaction, parts[-1][0], sum(seeds))
    return TwoWay(value, float(np.sqrt(variance)), _satterthwaite(parts), min(sum(seeds), variance))


def _interaction(influences: Floats) -> float:
    """Variance of the mean over K seeds and G groups that is due to seed x group, from influences [K,G]."""
    seeds, groups = influences.shape
    residual = influences - influences.mean(axis=0) - influences.mean(axis=1, keepdims=True) + influences.mean()
    return float(np.square(residual).sum() / ((seeds - 1) * (groups - 1) * seeds * groups))


def _satterthwaite(parts: Sequence[tuple[float, float]]) -> float:
    total = sum(part for part, _ in parts)
    squares = sum(part**2 / degrees for part, degrees in parts)
    return total**2 / squares if squares > 0 else min(degrees for _, degrees in parts)


def superiority(first: Sequence[float], second: Sequence[float]) -> float:
    """P(A > B): the share of pairs of trainings, one of each side, in which the first side's scores more; ties are 1/2.

    Bouthillier et al. 2021 (Accounting for Variance in Machine Learning Benchmarks), over all K x K pairs of seeds. A
    few seeds give few possible values: it describes, and decides nothing.
    """
    won = np.subtract.outer(np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64))
    return float((np.sign(won).mean() + 1) / 2)


def seed_weights(seeds: int, draws: int, seed: int, side: int = 0) -> Floats:
    """float64 [draws,K]: how often each training seed of a side is in each draw; independent of the draws of samples.

    The replicate of a draw is the mean of the K scores of that draw's samples, weighted by its row. A bootstrap of K
    seeds shows (K-1)/K of their variance, so that ``two_way`` is better for few of them.
    """
    return np.concatenate(list(draw_weights(seeds, draws, seed, purpose=_PURPOSE + side)))


def crossed_replicates(values: Floats, seed: int, side: int = 0) -> Floats:
    """float64 [draws]: replicates [draws,K], one column a training seed on the same draws of samples, over drawn seeds.

    The crossed bootstrap: one weighting of the samples per draw for all seeds, times one of the seeds.
    """
    draws, seeds = values.shape
    mean: Floats = (seed_weights(seeds, draws, seed, side) * values).sum(axis=1) / seeds
    return mean
