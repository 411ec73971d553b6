"""Rank ranges: "cannot be told apart" is not transitive, so a rank is a range and there are no groups."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from mmbench.stats.multiple import holm

Floats = NDArray[np.float64]


def rank_ranges(scores: Floats, p_values: Floats, alpha: float = 0.05) -> list[tuple[int, int]]:
    """Best and worst rank of M sides, from 1 + #(significantly better) to M - #(significantly worse).

    ``scores`` [M], higher is better; ``p_values`` [M(M-1)/2] of the pairs in the order of itertools.combinations, here
    corrected by Holm over all pairs, so that with probability 1 - alpha no claim is wrong.
    """
    count = len(scores)
    better = np.zeros(count, dtype=np.int64)
    worse = np.zeros(count, dtype=np.int64)
    for (a, b), p in zip(combinations(range(count), 2), holm(p_values), strict=True):
        if p <= alpha and scores[a] != scores[b]:
            winner, loser = (a, b) if scores[a] > scores[b] else (b, a)
            better[loser] += 1
            worse[winner] += 1
    return [(1 + int(b), count - int(w)) for b, w in zip(better, worse, strict=True)]
