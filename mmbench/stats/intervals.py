"""Intervals from bootstrap replicates."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def percentile_interval(replicates: Floats, level: float) -> tuple[float, float] | None:
    """Bounds of the central ``level`` of replicates [draws] (Efron and Tibshirani 1993, section 13.3).

    A replicate that is NaN (undefined in that draw) is left out. None when more than 1 - level of the replicates are
    undefined: as much as lies outside the interval is then unknown.
    """
    defined = replicates[~np.isnan(replicates)]
    # Compared as counts, with room for rounding in 1 - level.
    if replicates.size - defined.size > (1 - level) * replicates.size + 1e-9 or not defined.size:
        return None
    low, high = np.quantile(defined, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
