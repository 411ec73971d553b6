"""The delete-one-group jackknife: influence, standard error and acceleration of a value without random draws."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmbench.stats.resampling import Table

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

# The second half of Philox's key for the random partition into blocks.
_PURPOSE = int.from_bytes(b"jackknif", "little")


def leave_one_out(table: Table) -> Floats:
    """float64 [G,k]: the sums of a table [G,k] (int64 or float64) without each of its groups."""
    left_out: Floats = (table.sum(axis=0) - table).astype(np.float64)
    return left_out


def block_codes(groups: int, blocks: int, seed: int) -> Ints:
    """int64 [G]: a random partition of the groups into ``blocks`` of nearly equal size, at most one block a group.

    A metric that is not a function of sums costs one evaluation per block (the grouped jackknife, Shao and Tu 1995,
    section 5.1.3). The partition depends on ``groups``, ``blocks`` and ``seed`` alone.
    """
    bits = np.random.Philox(key=np.array([seed, _PURPOSE], dtype=np.uint64)).random_raw(groups)
    codes = np.empty(groups, np.int64)
    codes[np.argsort(bits, kind="stable")] = np.arange(groups) % min(blocks, groups)
    return codes


@dataclass(frozen=True, slots=True, eq=False)
class Jackknife:
    """``value`` of the whole, and the value [G] without each of G >= 2 groups (or blocks of groups).

    ``influences`` [G] sum to 0: (G-1) times the mean of the left-out values minus each of them. Anything undefined
    (NaN) makes ``error`` and ``acceleration`` NaN.
    """

    value: float
    left_out: Floats

    @property
    def groups(self) -> int:
        """G, the number of groups (blocks) that were left out in turn."""
        return len(self.left_out)

    @property
    def influences(self) -> Floats:
        """Empirical influence [G] (Efron and Tibshirani 1993, equation 11.5 and section 14.3)."""
        influences: Floats = (self.groups - 1) * (self.left_out.mean() - self.left_out)
        return influences

    @property
    def error(self) -> float:
        """Standard error, sqrt(sum l_i^2 / (G (G-1))); of a mean it is s / sqrt(G) exactly."""
        if self.groups < 2:
            return float("nan")
        return float(np.sqrt(np.square(self.influences).sum() / (self.groups * (self.groups - 1))))

    @property
    def acceleration(self) -> float:
        """A sixth of the skewness, sum l_i^3 / (6 (sum l_i^2)^1.5) (the same, equation 14.15); 0 without spread."""
        influences = self.influences
        spread = float(np.square(influences).sum())
        return float((influences**3).sum() / (6 * spread**1.5)) if spread != 0 else 0.0


def difference(first: Jackknife, second: Jackknife) -> Jackknife:
    """The jackknife of first - second, the same groups left out of both sides.

    Raises ValueError when the sides hold different numbers of groups.
    """
    if first.groups != second.groups:
        raise ValueError(f"paired sides hold {first.groups} and {second.groups} groups")
    return Jackknife(first.value - second.value, first.left_out - second.left_out)
