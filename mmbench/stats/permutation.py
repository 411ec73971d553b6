"""Permutation of the labels of two paired sides: under "no difference" each group may be swapped.

Exact where all 2**G patterns of swaps are no more than the draws asked for, else seeded Monte Carlo.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from mmbench.stats.resampling import Table

Floats = NDArray[np.float64]
Alternative = Literal["two-sided", "greater", "less"]

# At most this many numbers in a chunk of swaps: 16 MiB of float64.
_CHUNK = 1 << 21
# The second half of Philox's key: swaps are independent of the bootstrap's draws.
_PURPOSE = int.from_bytes(b"signflip", "little")
# Replicates this close to the observed value, relative to the largest number, are ties that rounding has parted.
_ROUNDING = 1e-12


def is_exact(groups: int, draws: int) -> bool:
    """Whether all patterns of swaps are gone through: 2**G <= draws."""
    return groups < 63 and 2**groups <= draws


def swaps(groups: int, draws: int, seed: int, *, chunk: int = _CHUNK) -> Iterator[Floats]:
    """Chunks float64 [d,G] of 0 (as measured) and 1 (sides swapped), each with probability 1/2.

    All 2**G patterns, the identity first, where these are no more than ``draws``; else ``draws`` random ones of
    Philox's bits. Draw i depends on ``groups``, ``seed`` and i alone.
    """
    words = -(-groups // 64)
    stream = np.random.Philox(key=np.array([seed, _PURPOSE], dtype=np.uint64))
    exact = is_exact(groups, draws)
    total = 2**groups if exact else draws
    step = max(1, chunk // groups)
    for start in range(0, total, step):
        count = min(step, total - start)
        bits = np.arange(start, start + count, dtype=np.uint64) if exact else stream.random_raw(count * words)
        octets = bits.astype("<u8").view(np.uint8).reshape(count, 8 * words)
        yield np.unpackbits(octets, axis=1, count=groups, bitorder="little").astype(np.float64)


def swapped_sums(first: Table, second: Table, draws: int, seed: int) -> Iterator[tuple[Floats, Floats]]:
    """Chunk by chunk the summed rows float64 [d,k] of both sides [G,k] after swapping groups between them."""
    gain = (second - first).astype(np.float64)
    one, other = first.sum(axis=0).astype(np.float64), second.sum(axis=0).astype(np.float64)
    width = max(first.shape)
    for pattern in swaps(len(first), draws, seed, chunk=max(len(first), _CHUNK * len(first) // width)):
        moved = pattern @ gain
        yield one + moved, other - moved


def permutation_p(observed: float, replicates: Floats, *, exact: bool, alternative: Alternative = "two-sided") -> float:
    """p-value of the observed difference among permuted ones [draws].

    Exact: the share of all patterns at least as extreme. Monte Carlo: (b + 1) / (m + 1), which is never 0 and is valid
    for any m (Phipson and Smyth 2010). Undefined replicates (NaN) count as extreme. An undefined observation has p 1.
    """
    if np.isnan(observed):
        return 1.0
    if alternative == "two-sided":
        observed, replicates = abs(observed), np.abs(replicates)
    elif alternative == "less":
        observed, replicates = -observed, -replicates
    rounding = _ROUNDING * max(abs(observed), float(np.nanmax(np.abs(replicates), initial=0.0)))
    extreme = int(np.count_nonzero(~(replicates < observed - rounding)))
    return extreme / replicates.size if exact else (extreme + 1) / (replicates.size + 1)


def sign_flip_p(
    differences: Floats, *, draws: int = 10_000, seed: int = 0, alternative: Alternative = "two-sided"
) -> float:
    """p of "the differences of the groups [G] are symmetric about 0", by flipping their signs (Fisher 1935)."""
    flips = swaps(len(differences), draws, seed)
    sums = np.concatenate([differences.sum() - 2 * (pattern @ differences) for pattern in flips])
    exact = is_exact(len(differences), draws)
    return permutation_p(float(differences.sum()), sums, exact=exact, alternative=alternative)


@dataclass(frozen=True, slots=True, eq=False)
class TypicalValues:
    """Means over random subsets of groups, sorted: they cut the line into steps of equal confidence.

    One more than each of N patterns of flips (the identity, or the observation itself, is one), so that the one-sided
    sign-flip test of "the mean is at most d" has p = (#{means <= d} + 1) / (N + 1) (Hartigan 1969).
    """

    means: Floats

    @classmethod
    def of(cls, sums: Sequence[float] | Floats, sizes: Floats, *, draws: int = 10_000, seed: int = 0) -> TypicalValues:
        """For the mean sum(sums) / sum(sizes) of G groups [G]: the flipped residuals are sums - d sizes."""
        totals = np.asarray(sums, dtype=np.float64)
        means = []
        for pattern in swaps(len(totals), draws, seed):
            chosen = pattern[pattern.any(axis=1)]
            means.append((chosen @ totals) / (chosen @ sizes))
        return cls(np.sort(np.concatenate(means)))

    def p_above(self, value: float) -> float:
        """One-sided p of "the mean is at most ``value``": small where it is clearly larger."""
        below = int(np.searchsorted(self.means, value + _ROUNDING * max(1.0, abs(value)), side="right"))
        return (below + 1) / (self.means.size + 1)

    def p_below(self, value: float) -> float:
        """One-sided p of "the mean is at least ``value``": small where it is clearly smaller."""
        under = int(np.searchsorted(self.means, value - _ROUNDING * max(1.0, abs(value)), side="left"))
        return (self.means.size - under + 1) / (self.means.size + 1)

    def bound(self, alpha: float, side: Literal["lower", "upper"]) -> float:
        """One-sided bound 1 - ``alpha``: the value where the p of that side reaches alpha; infinite for few groups."""
        rank = int(np.floor(alpha * (self.means.size + 1) + 1e-9))
        if rank < 1:
            return -np.inf if side == "lower" else np.inf
        return float(self.means[rank - 1] if side == "lower" else self.means[-rank])
