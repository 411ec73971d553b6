"""Random streams that are the same bytes everywhere: Philox words under a BLAKE2b key, and integers made of them.

numpy promises a stable stream for ``random_raw`` of a bit generator, not for the methods of ``Generator``.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

BELL = 209  # standard deviation of ``bell``


def random_words(count: int, name: str) -> NDArray[np.uint64]:
    """uint64 [count]: the first words of the stream of that name; independent streams for unequal names.

    The 128-bit Philox key is BLAKE2b of the name, so that any stream is reached without drawing another.
    """
    key = int.from_bytes(hashlib.blake2b(name.encode(), digest_size=16).digest(), "little")
    return np.random.Philox(key=key).random_raw(count)


def bell(words: NDArray[np.uint64]) -> NDArray[np.int16]:
    """int16 [n]: a nearly normal integer of each word, mean 0 and standard deviation 209.0.

    It is the sum of the word's eight bytes less 1020: divide by ``BELL`` for the unit normal. Its excess kurtosis is
    -.15 (a normal's is 0) and it never leaves +-4.9 standard deviations.
    """
    total: NDArray[np.int16] = words.view(np.uint8).reshape(-1, 8).sum(axis=1, dtype=np.int16)
    return total - np.int16(1020)
