"""Sums of per-modality logits that reach the best additive accuracy A*, by construction.

Trained additive models stay at chance on the sums modulo k, because the cross-entropy of additive logits is convex with
its minimum at uniform; so A* needs a witness.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from mmbench.sources.scenes.label_chances import chances
from mmbench.sources.scenes.regimes import BLANK, Law

Floats = NDArray[np.float64]

# The bent function: class 1 where FIRST[a] + SECOND[b] > 0; found by exhaustive search over the orders of columns.
FIRST = (-4, -14, -12, -6, -4, -10, -2, -12)
SECOND = (1, 5, 3, 7, 9, 13, 15, 11)

_NEVER = -50.0  # logit of a class that is not possible


def decide(law: Law, shown: Sequence[int]) -> int:
    """The class with the largest sum of logits; the first of equal ones."""
    total = sum(logits(law, modality)[value] for modality, value in enumerate(shown))
    return int(np.argmax(total))


@lru_cache(maxsize=64)
def logits(law: Law, modality: int) -> dict[int, Floats]:
    """float64 [k] by what the modality shows."""
    if law.additive:
        values = [*range(law.signatures), *([BLANK] if law.blanks(modality) else [])]
        return {value: _log_chances(law, modality, value) for value in values}
    if law.name == "S8":
        table = (FIRST, SECOND)[modality]
        return {value: np.array([0.0, table[value]]) for value in range(law.signatures)}
    return {value: _lines(law, value) for value in range(law.signatures)}


def _log_chances(law: Law, modality: int, value: int) -> Floats:
    found = chances(law, {modality: value}) if (law.rows[:, 1 + modality] == value).any() else {}
    return np.array([np.log(found[label]) if label in found else _NEVER for label in range(law.classes)])


def _lines(law: Law, value: int) -> Floats:
    """For y = sum mod k: a line in the sum s for each class, so that k successive sums near the middle are all right.

    Class p mod k has the line 2 p s - p^2 for p = w .. w + k - 1, the highest at s = p; the tails of s are wrong.
    """
    k, modalities = law.classes, law.rows.shape[1] - 1
    start = (modalities - 1) * (k - 1) // 2
    found = np.zeros(k)
    for place in range(start, start + k):
        found[place % k] = 2 * place * value - place * place / modalities
    return found
