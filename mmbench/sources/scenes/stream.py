"""Random streams that are the same bytes everywhere: Philox words under a BLAKE2b key, own integer maps.

numpy promises a stable stream for ``random_raw`` of a bit generator, not for the methods of ``Generator``.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from mmbench.sources.scenes import SPEC_VERSION


def raw_words(count: int, *purpose: str | int) -> NDArray[np.uint64]:
    """uint64 [count]: the first words of the stream that ``purpose`` names; independent streams for unequal purposes.

    The 128-bit Philox key is BLAKE2b(spec version | purpose...), so any item is reached without drawing another.
    """
    name = "|".join(map(str, (SPEC_VERSION, *purpose))).encode()
    key = int.from_bytes(hashlib.blake2b(name, digest_size=16).digest(), "little")
    return np.random.Philox(key=key).random_raw(count)


def permutation(count: int, *purpose: str | int) -> NDArray[np.intp]:
    """int [count]: a permutation of 0..count-1 keyed by ``purpose``; order of the words, ties by position."""
    return np.argsort(raw_words(count, *purpose), kind="stable")


class Draws:
    """Integers from one stream, taken in a fixed order: the n-th call always reads the n-th word."""

    __slots__ = ("_next", "_words")

    def __init__(self, count: int, *purpose: str | int) -> None:
        self._words: list[int] = raw_words(count, *purpose).tolist()
        self._next = 0

    def below(self, bound: int) -> int:
        """An integer in 0..bound-1, uniform up to 2**-32 * bound, by multiply and shift of a word's upper half."""
        word = self._words[self._next]
        self._next += 1
        return ((word >> 32) * bound) >> 32

    def between(self, low: int, high: int) -> int:
        """An integer in low..high, both included."""
        return low + self.below(high - low + 1)
