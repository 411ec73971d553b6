"""Corrections for testing several hypotheses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def holm(p_values: Floats) -> Floats:
    """Adjusted p-values [m] that control the family-wise error under any dependence (Holm 1979).

    The i-th smallest (from 0) becomes max over j <= i of (m - j) p_j, at most 1.
    """
    m = len(p_values)
    order = np.argsort(p_values, kind="stable")
    scaled = p_values[order] * (m - np.arange(m))
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(np.maximum.accumulate(scaled), 1.0)
    return adjusted


def holm_levels(p_values: Floats, alpha: float) -> Floats:
    """The level [m] at which Holm's procedure tests each hypothesis: alpha / (m - i) for the i-th that it rejects.

    What is not rejected is tested at alpha / (number not rejected). A one-sided bound of that level lies beyond the
    hypothesis exactly where Holm rejects; the bounds show the decisions and are not simultaneous intervals.
    """
    m = len(p_values)
    order = np.argsort(p_values, kind="stable")
    rejected = int(np.count_nonzero(holm(p_values) <= alpha))
    levels = np.empty(m)
    levels[order] = alpha / (m - np.minimum(np.arange(m), rejected))
    return levels


def benjamini_hochberg(p_values: Floats) -> Floats:
    """Adjusted p-values [m] that control the false discovery rate of independent (or positively dependent) tests.

    Benjamini and Hochberg 1995: the i-th smallest (from 1) becomes min over j >= i of m p_j / j, at most 1.
    """
    m = len(p_values)
    order = np.argsort(p_values, kind="stable")
    scaled = p_values[order] * m / np.arange(1, m + 1)
    adjusted = np.empty(m)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return adjusted


def sequential_p(p_values: Floats, shares: Floats) -> float:
    """One p for several looks [l] at one question: min p_k / w_k, at most 1, for shares w of alpha that sum to 1.

    A union bound, valid under any dependence of the looks. Raises ValueError when the shares exceed 1 or a look has
    none.
    """
    used = shares[: len(p_values)]
    if len(used) != len(p_values) or (used <= 0).any() or shares.sum() > 1 + 1e-9:
        raise ValueError(f"{len(p_values)} looks need as many positive shares that sum to at most 1, found {shares}")
    return float(np.minimum(np.min(p_values / used, initial=1.0), 1.0))
