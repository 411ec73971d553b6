"""Bootstrap resampling as matrices of integer weights over groups.

A draw of G groups with replacement is a vector of counts that sums to G; the sums of many draws are one matrix product
of the counts with the sums per group. The stream is Philox's raw bits and an integer map, so that it is the same with
every version of numpy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Table = NDArray[np.int64] | NDArray[np.float64]
Number = TypeVar("Number", np.int64, np.float64)

# At most this many numbers in a chunk's weights and in its sums: 16 MiB of float64 each.
_CHUNK = 1 << 21
# The second half of Philox's key: the draws must not share a stream with generated data of the same seed.
_PURPOSE = int.from_bytes(b"resample", "little")


def group_sums(rows: NDArray[Number], codes: Ints) -> NDArray[Number]:
    """[G,k]: rows [n,k], int64 or float64, summed over equal codes [n], which are 0..G-1 with none left out.

    Whole numbers are exact; sums of float64 depend on the order of a group's samples in the last bits.
    """
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(int(codes.max()) + 1))
    sums: NDArray[Number] = np.add.reduceat(rows[order], starts, axis=0)
    return sums


def draw_weights(
    groups: int, draws: int, seed: int, *, strata: Ints | None = None, chunk: int = _CHUNK, purpose: int = _PURPOSE
) -> Iterator[Floats]:
    """Chunks float64 [d,G] of bootstrap counts, ``draws`` rows in all; each row sums to G.

    Draw i depends on ``groups``, ``seed``, ``strata`` and i alone, not on the number of draws or how they are cut into
    chunks. A group is (x * G) >> 32 of 32 random bits x: no probability is off by more than 2**-32.

    With ``strata`` [G] (any whole numbers) every stratum is resampled to its own size, as when the test set was drawn
    with fixed sizes per stratum (Davison and Hinkley 1997, section 3.2); one stratum gives the draws of none.
    ``purpose`` names the stream: draws of unequal purpose are independent.
    """
    stream = np.random.Philox(key=np.array([seed, purpose], dtype=np.uint64))
    sizes, starts, members = _strata(np.zeros(groups, np.int64) if strata is None else strata)
    step = max(1, chunk // groups)
    for start in range(0, draws, step):
        count = min(step, draws - start)
        bits = (stream.random_raw(count * groups) >> np.uint64(32)).reshape(count, groups)
        cells = ((bits * sizes) >> np.uint64(32)).astype(np.int64)
        if strata is not None:
            cells = members[cells + starts]
        cells += groups * np.arange(count, dtype=np.int64)[:, None]
        yield np.bincount(cells.ravel(), minlength=cells.size).astype(np.float64).reshape(count, groups)


def _strata(strata: Ints) -> tuple[NDArray[np.uint64], Ints, Ints]:
    """By group [G]: the size and the start of its stratum in ``members``, the groups sorted by stratum."""
    _, codes, counts = np.unique(strata, return_inverse=True, return_counts=True)
    starts = np.cumsum(counts) - counts
    return counts[codes].astype(np.uint64), starts[codes], np.argsort(codes, kind="stable").astype(np.int64)


def resampled_sums(
    tables: Sequence[Table], draws: int, seed: int, *, strata: Ints | None = None
) -> Iterator[list[Floats]]:
    """Chunk by chunk, the summed rows float64 [d,k] of each draw for each table [G,k]; all tables get the same draws.

    Tables are int64 or float64. Whole sums below 2**53 are exact, so that neither the order of the groups nor the
    number of threads changes them; sums of float64 rows are rounded in an order that the matrix product chooses.
    """
    exact = [table.astype(np.float64) for table in tables]
    groups = len(exact[0])
    widest = max(groups, *(table.shape[1] for table in exact))
    chunk = max(groups, _CHUNK * groups // widest)
    for weights in draw_weights(groups, draws, seed, strata=strata, chunk=chunk):
        yield [weights @ table for table in exact]
