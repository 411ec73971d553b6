"""How many labels a score costs."""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log


def labels_to_reach(labels: Sequence[int], scores: Sequence[float], target: float) -> float | None:
    """The number of labels at which the scores of ascending label counts first reach ``target``; None if they do not.

    Between two counts the score is taken as linear in the logarithm of the labels. Where the smallest count reaches the
    target already, that count: an upper bound. Raises ValueError unless there are as many scores as counts and the
    counts are positive and ascending.
    """
    if len(labels) != len(scores) or not labels or any(b <= a for a, b in zip([0, *labels], labels, strict=False)):
        raise ValueError(f"expected ascending label counts, one for each score, found {labels} for {len(scores)}")
    if scores[0] >= target:
        return float(labels[0])
    for index in range(1, len(labels)):
        below, above = scores[index - 1], scores[index]
        if above >= target:
            share = (target - below) / (above - below)
            return exp(log(labels[index - 1]) + share * (log(labels[index]) - log(labels[index - 1])))
    return None
