"""Regimes: which joint law P(y, s_1, .., s_M) binds the class of an object to what each modality shows of it.

A law is a table of rows (y, shown_1, .., shown_M) that are equally likely. Its length divides the objects of a block
(``balance``), so that each block holds each row equally often: the law holds exactly by counts, not on average.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int8]

# What a modality may show of an object instead of a signature 0..k-1.
BLANK = -1  # its outline, without a signature
HIDDEN = -2  # nothing: it looks like background

# The regimes that the mixed regime X holds in equal parts, item by item.
MIXED = ("R", "U1", "U2", "S4")


@dataclass(frozen=True, slots=True, eq=False)
class Law:
    """A regime: ``rows`` int8 [n, 1+M] of (y, shown by each modality), all equally likely.

    ``classes`` is the number of values of y, ``signatures`` that of a signature, ``cue`` the index that tells the
    regime in every modality. ``additive`` states that some sum of per-modality logits reaches the best fused score.
    """

    name: str
    classes: int
    signatures: int
    cue: int
    rows: Rows
    additive: bool

    def blanks(self, modality: int) -> bool:
        """Whether the modality of that index may show an object without a signature."""
        return bool((self.rows[:, 1 + modality] == BLANK).any())


Triples = Iterator[tuple[int, int, int]]


def _pairs(k: int, label: Callable[[int, int], int]) -> Triples:
    for first, second in product(range(k), repeat=2):
        yield label(first, second), first, second


def _redundant() -> Triples:
    for y in range(4):
        yield y, y, y


# Of the 256 objects of one class in a block: both signatures shown, either one blank, both blank. Nominally blank
# with probability .4 each, independently: 92.16, 61.44, 61.44, 40.96.
_ERASED = (93, 61, 61, 41)
# Nominally .35 of the objects hidden in one modality and another .35 in the other: 76.8, 89.6, 89.6.
_COMPLEMENTARY = (76, 90, 90)
# Two views with symmetric noise .3: both right, only one right (per view and wrong value), both wrong alike, both wrong
# unlike. Nominally 125.44, 17.92, 2.56, 2.56; rounded so that the two views stay exchangeable and the classes too:
# then no rule gains by a second view.
_BOTH, _ONE, _ALIKE, _UNLIKE = 124, 18, 2, 3


def _erasure() -> Triples:
    for y in range(4):
        for row, count in zip(((y, y), (BLANK, y), (y, BLANK), (BLANK, BLANK)), _ERASED, strict=True):
            yield from [(y, *row)] * count


def _complementary() -> Triples:
    for y in range(4):
        for row, count in zip(((y, y), (HIDDEN, y), (y, HIDDEN)), _COMPLEMENTARY, strict=True):
            yield from [(y, *row)] * count


def _hard_noise() -> Triples:
    for y, first, second in product(range(4), repeat=3):
        right = (first == y) + (second == y)
        wrong = _ALIKE if first == second else _UNLIKE
        yield from [(y, first, second)] * (wrong, _ONE, _BOTH)[right]


def _law(name: str, k: int, cue: int, rows: Triples, *, additive: bool) -> Law:
    table = np.array(list(rows), dtype=np.int8)
    table.setflags(write=False)
    return Law(name, k, k, cue, table, additive)


# Why ``additive`` holds: R, U1, U2 need one modality. E and C: a modality that shows a signature gives its class a
# large logit, one that does not gives background a small one. H: the second view adds nothing to the first.
LAWS: Mapping[str, Law] = MappingProxyType(
    {
        law.name: law
        for law in (
            _law("R", 4, 0, _redundant(), additive=True),
            _law("U1", 4, 1, _pairs(4, lambda first, _: first), additive=True),
            _law("U2", 4, 2, _pairs(4, lambda _, second: second), additive=True),
            _law("S4", 4, 3, _pairs(4, lambda first, second: (first + second) % 4), additive=False),
            _law("M16", 16, 4, _pairs(16, lambda first, second: (first + second) % 16), additive=False),
            _law("E", 4, 5, _erasure(), additive=True),
            _law("C", 4, 6, _complementary(), additive=True),
            _law("H", 4, 7, _hard_noise(), additive=True),
        )
    }
)
REGIMES = (*LAWS, "X")


def laws_of(regime: str) -> tuple[Law, ...]:
    """The laws that the items of a regime follow: four for X, else the one of that name."""
    return tuple(LAWS[name] for name in MIXED) if regime == "X" else (LAWS[regime],)
