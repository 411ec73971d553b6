"""The best mean IoU that any rule from observations to labels can reach.

Mean IoU does not decompose over pixels, so the best rule is not the most probable class: on a class-blind object a
uniform guess gives IoU 1/(2k-1) while a constant one gives 1/k^2 on average, and abstaining may beat both. A rule is a
stochastic policy q(c | o). With A[o, c] pixels of class c that look like o and N_o = sum_c A[o, c],

    I_c = sum_o q(c|o) A[o,c],   U_c = sum_o A[o,c] + sum_o q(c|o) (N_o - A[o,c]),   value = mean_c I_c / U_c,

the ratio of expectations, which many pixels reach.

Maximised by minorisation: I/U >= 2 y sqrt(I) - y^2 U with y = sqrt(I)/U at the current q (quadratic transform of a sum
of ratios: Shen and Yu, Fractional programming for communication systems, IEEE TSP 2018), and sqrt(I) is bounded below
through its concavity. That leaves one small concave problem for each observation, with the solution

    q(c|o)  <-  q(c|o) * [ (A/U_c) / (cost_c + lambda_o) ]^2,   cost_c = I_c (N_o - A)/U_c^2,

lambda_o such that the row sums to 1. A label with A = 0 gains nothing but may cost least (abstaining): lambda_o stays
above minus the least such cost, and that label gets what the others leave. No step lowers the value. There are several
local maxima, so many starts are followed and the worse half is dropped at each check.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmbench.sources.scenes.stream import raw_words

Floats = NDArray[np.float64]

_STEPS = 600
_CHECK_EVERY = 10
_TOLERANCE = 1e-10
_KEPT = 3
_RANDOM_STARTS = 6
_MOST_CONSTANTS = 6
_SPREAD = 0.02  # of a start that is nearly deterministic; an entry of exactly 0 could never grow
_LEAST = 1e-60  # probability below which a label is as good as not used


class Policy(NamedTuple):
    """``rule`` float64 [O, C]: probability of label c on observation o; ``value`` its mean IoU in 0..1."""

    value: float
    rule: Floats


def best_policy(areas: Floats) -> Policy:
    """The best policy for pixels ``areas`` [O, C] >= 0 (by observation and true class).

    Classes without a pixel are never predicted and do not count, as in ``miou``. Observations of one class only are
    labelled with it, which is best whatever the others are.
    """
    present = areas.sum(axis=0) > 0
    table = areas[:, present] / areas.sum()
    mixed = (table > 0).sum(axis=1) > 1
    rule = np.where(table > 0, 1.0, 0.0)
    if mixed.any():
        rule[mixed] = _climb(table[mixed], table[~mixed].sum(axis=0))
    full = np.zeros_like(areas)
    full[:, present] = rule
    return Policy(mean_iou(areas, full), full)


def mean_iou(areas: Floats, rule: Floats) -> float:
    """The mean IoU of a policy ``rule`` [O, C] over the classes that occur in truth or prediction."""
    predicted = rule * areas.sum(axis=1, keepdims=True)
    shared = (rule * areas).sum(axis=0)
    union = areas.sum(axis=0) + predicted.sum(axis=0) - shared
    return float(np.mean(shared[union > 0] / union[union > 0]))


class _Problem(NamedTuple):
    """Mixed observations ``table`` [O, C], the others' pixels ``sure`` [C], and what follows from them."""

    table: Floats
    wrong: Floats
    sure: Floats
    truth: Floats

    def shared_and_union(self, rules: Floats) -> tuple[Floats, Floats]:
        """I and U [S, C] of rules [S, O, C]."""
        return self.sure + (rules * self.table).sum(axis=1), self.truth + (rules * self.wrong).sum(axis=1)

    def values(self, rules: Floats) -> Floats:
        """float64 [S]: mean IoU of each rule."""
        shared, union = self.shared_and_union(rules)
        return np.asarray((shared / union).mean(axis=1))


def _climb(table: Floats, sure: Floats) -> Floats:
    """The best rule [O, C] for mixed observations, ``sure`` [C] being the pixels of the others."""
    wrong = table.sum(axis=1, keepdims=True) - table
    problem = _Problem(table, wrong, sure, table.sum(axis=0) + sure)
    rules = _starts(table)
    best = -1.0
    for step in range(_STEPS):
        if step % _CHECK_EVERY == 0:
            values = problem.values(rules)
            order = np.argsort(-values, kind="stable")[: max(_KEPT, len(rules) // 2)]
            rules = rules[order]
            if values[order[0]] - best < _TOLERANCE:
                break
            best = values[order[0]]
        rules = _leap(rules, problem)
    return np.asarray(rules[0])


def _leap(rules: Floats, problem: _Problem) -> Floats:
    """Two steps, then as far along their curve as they suggest; kept only where that is higher.

    Steps alone crawl near a flat top (squared extrapolation: Varadhan and Roland, Scand. J. Stat. 2008, scheme S3).
    """
    first = _ascend(rules, problem)
    second = _ascend(first, problem)
    change, bend = first - rules, second - 2 * first + rules
    sizes = np.sqrt([(d * d).sum(axis=(1, 2), keepdims=True) for d in (change, bend)])
    stride = np.maximum(sizes[0] / np.maximum(sizes[1], _LEAST), 1.0)
    far = np.maximum(rules + 2 * stride * change + stride * stride * bend, np.where(problem.table > 0, _LEAST, 0.0))
    far = _ascend(far / far.sum(axis=2, keepdims=True), problem)
    higher = problem.values(far) > problem.values(second)
    return np.where(higher[:, None, None], far, second)


def _ascend(rules: Floats, problem: _Problem) -> Floats:
    """One step for all starts: rules [S, O, C]."""
    table = problem.table
    shared, union = problem.shared_and_union(rules)
    gain = np.sqrt(rules) * (table / union[:, None, :])
    cost = (shared / (union * union))[:, None, :] * problem.wrong
    useless = np.where(table > 0, np.inf, cost)
    level = np.maximum(_levels(gain, cost), -useless.min(axis=2, keepdims=True))
    updated = _ratio(gain, cost + level) ** 2
    left = np.zeros_like(rules)
    unused = np.maximum(1.0 - updated.sum(axis=2, keepdims=True), 0.0)
    np.put_along_axis(left, useless.argmin(axis=2)[:, :, None], unused, axis=2)
    updated = np.where(table > 0, np.maximum(updated, _LEAST), left)
    result: Floats = updated / updated.sum(axis=2, keepdims=True)
    return result


def _levels(gain: Floats, cost: Floats) -> Floats:
    """lambda [S, O, 1] with sum_c (gain / (cost + lambda))^2 = 1 over the labels with a gain.

    The sum falls in lambda, and its power -1/2 is concave and nearly straight, so that Newton's method settles in a few
    steps from the left end, where one term alone is 1.
    """
    level = np.where(gain > 0, gain - cost, -np.inf).max(axis=2, keepdims=True)
    for _ in range(6):
        squares = _ratio(gain, cost + level) ** 2
        total = squares.sum(axis=2, keepdims=True)
        slope = (squares / np.maximum(cost + level, _LEAST)).sum(axis=2, keepdims=True)
        level = level + (np.sqrt(total) - 1.0) * total / slope
    return np.asarray(level)


def _ratio(gain: Floats, below: Floats) -> Floats:
    """gain / below, at most 1 as it is right of the left end whatever was rounded; 0 where there is no gain."""
    return np.asarray(gain / np.maximum(below, np.where(gain > 0, gain, 1.0)))


def _starts(table: Floats) -> Floats:
    """float64 [S, O, C]: uniform, proportional, most probable class, constants, random ones."""
    observations, classes = table.shape
    uniform = np.full_like(table, 1.0 / classes)
    bayes = np.eye(classes)[table.argmax(axis=1)]
    constants = [np.broadcast_to(row, table.shape) for row in np.eye(classes)[:_MOST_CONSTANTS]]
    near = [(1 - _SPREAD) * rule + _SPREAD * uniform for rule in (bayes, *constants)]
    words = raw_words(_RANDOM_STARTS * table.size, "policy", observations, classes)
    # Exponential variates give uniform points of the simplex; the exact bits do not matter after convergence.
    random = -np.log((words.astype(np.float64) + 1.0) / 2.0**64).reshape(_RANDOM_STARTS, observations, classes)
    random /= random.sum(axis=2, keepdims=True)
    return np.stack([uniform, table / table.sum(axis=1, keepdims=True), *near, *random])
