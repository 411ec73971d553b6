"""The generator's random streams: words, permutations and small integers, keyed by the spec version and a purpose."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mmbench.core.streams import random_words
from mmbench.sources.scenes import SPEC_VERSION


def raw_words(count: int, *purpose: str | int) -> NDArray[np.uint64]:
    """uint64 [count]: the first words of the stream that ``purpose`` names; unequal purposes are independent."""
    return random_words(count, "|".join(map(str, (SPEC_VERSION, *purpose))))


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
