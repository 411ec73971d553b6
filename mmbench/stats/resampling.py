"""Bootstrap resampling as matrices of integer weights over groups.

A draw of G groups with replacement is a vector of counts that sums to G; the sums of many draws are one matrix product
of the counts with the sums per group. The stream is Philox's raw bits and an integer map, so that it is the same with
every version of numpy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Numbers = Ints | Floats

# At most this many numbers in a chunk's weights and in its sums: 16 MiB of float64 each.
_CHUNK = 1 << 21
# The second half of Philox's key: the draws must not share a stream with generated data of the same seed.
_PURPOSE = int.from_bytes(b"resample", "little")


def group_sums(rows: Numbers, codes: Ints) -> Numbers:
    """[G,k] of the dtype of the rows: rows [n,k] summed over equal codes [n], which are 0..G-1 with none left out."""
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(int(codes.max()) + 1))
    sums: Numbers = np.add.reduceat(rows[order], starts, axis=0)
    return sums


def draw_weights(groups: int, draws: int, seed: int, *, chunk: int = _CHUNK) -> Iterator[Floats]:
    """Chunks float64 [d,G] of bootstrap counts, ``draws`` rows in all; each row sums to G.

    Draw i depends on ``groups``, ``seed`` and i alone, not on the number of draws or how they are cut into chunks. A
    group is (x * G) >> 32 of 32 random bits x: no probability is off by more than 2**-32.
    """
    stream = np.random.Philox(key=np.array([seed, _PURPOSE], dtype=np.uint64))
    step = max(1, chunk // groups)
    for start in range(0, draws, step):
        count = min(step, draws - start)
        bits = stream.random_raw(count * groups) >> np.uint64(32)
        cells = ((bits * np.uint64(groups)) >> np.uint64(32)).astype(np.int64).reshape(count, groups)
        cells += groups * np.arange(count, dtype=np.int64)[:, None]
        yield np.bincount(cells.ravel(), minlength=cells.size).astype(np.float64).reshape(count, groups)


def resampled_sums(tables: Sequence[Ints], draws: int, seed: int) -> Iterator[list[Floats]]:
    """Chunk by chunk, the summed rows float64 [d,k] of each draw for each table [G,k]; all tables get the same draws.

    Sums below 2**53 are exact, so that neither the order of the groups nor the number of threads changes them.
    """
    exact = [table.astype(np.float64) for table in tables]
    groups = len(exact[0])
    widest = max(groups, *(table.shape[1] for table in exact))
    for weights in draw_weights(groups, draws, seed, chunk=max(groups, _CHUNK * groups // widest)):
        yield [weights @ table for table in exact]
