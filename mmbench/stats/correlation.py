"""Neighbouring values that are alike, and how many independent ones they are worth. Imports numpy alone: every
measuring process loads it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def lag_one(values: Floats) -> float:
    """Autocorrelation of neighbours; 0 for fewer than three values and for constant ones."""
    centred = values - values.mean() if len(values) else values
    total = float(centred @ centred)
    return float(centred[1:] @ centred[:-1]) / total if len(values) > 2 and total > 0 else 0.0


def effective_size(values: Floats) -> float:
    """n (1 - r) / (1 + r): how many independent values n values with the lag-one autocorrelation r are worth."""
    r = min(max(lag_one(values), 0.0), 0.99)
    return len(values) * (1 - r) / (1 + r)
