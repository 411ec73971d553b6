"""What tuning is worth: the expected best validation score as a function of the number of trials."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def expected_best(values: Sequence[float], trials: int) -> float:
    """E[max of ``trials`` draws] from the scores of N trials of a random search, drawn with replacement.

    sum_i v_i (P(v <= v_i)^k - P(v < v_i)^k) over the distinct values (Dodge et al., Show Your Work, EMNLP 2019,
    equation 1). With k = 1 the mean; it never falls with k and never exceeds the best value. Raises ValueError without
    values, with one that is not finite, or with fewer than one trial.
    """
    found = np.asarray(values, dtype=np.float64)
    if not len(found) or not np.isfinite(found).all() or trials < 1:
        raise ValueError(f"expected finite values and at least one trial, found {len(found)} values, {trials} trials")
    distinct, counts = np.unique(found, return_counts=True)
    at_most = np.cumsum(counts) / len(found)
    below = at_most - counts / len(found)
    return float(np.sum(distinct * (at_most**trials - below**trials)))
