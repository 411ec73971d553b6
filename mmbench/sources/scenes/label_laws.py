"""Laws that bind one class to a whole item, as in classification, and the best accuracy that each allows.

A law is a table of equally likely rows as in ``regimes``, whose pairs R, U1, U2, S4 and M16 are used here too. The best
accuracy with some modalities observed follows by counting, from the classes that were drawn and the law of what they
show. The best in hindsight of what they did show would, on few items, exceed what any rule can know beforehand; over
whole blocks (``item_balance``) both are equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from mmbench.sources.scenes.label_chances import law_accuracy
from mmbench.sources.scenes.regimes import BLANK, LAWS, MIXED, Law

# Graded evidence x ~ N(+-.8416, 1) in 16 steps of .35 about 0: how many of 100 cases of y = 1 fall into each; y = 0 is
# the mirror image. Rounded so that the sign alone is right in 80 of 100; two views together in .8825 (unrounded .883).
GRADES = (0, 0, 0, 1, 2, 3, 6, 8, 11, 13, 14, 13, 11, 8, 5, 5)

# Best accuracy of a sum of per-modality logits, where a search has shown that no sum does better: S2, S3, S4 by mixed
# integer programming, S8 over all orders of its columns, T3 over all threshold functions of three bits.
ADDITIVE: Mapping[str, float] = MappingProxyType({"S2": 3 / 4, "S3": 7 / 9, "S4": 3 / 4, "S8": 44 / 64, "T3": 3 / 4})


def _sums(k: int, modalities: int = 2) -> Iterator[tuple[int, ...]]:
    for shown in product(range(k), repeat=modalities):
        yield sum(shown) % k, *shown


def _bent() -> Iterator[tuple[int, ...]]:
    """y = a0 + b0 + a1 b1 + a2 b2 (mod 2): balanced, whatever one of a and b is."""
    for first, second in product(range(8), repeat=2):
        linear, products = (first ^ second) & 1, (first & second) >> 1
        yield linear ^ products.bit_count() % 2, first, second


def _erasure() -> Iterator[tuple[int, ...]]:
    """Each modality blank with probability 3/8, independently: exact with 64 rows a class."""
    for y in range(4):
        for row, count in zip(((y, y), (BLANK, y), (y, BLANK), (BLANK, BLANK)), (25, 15, 15, 9), strict=True):
            yield from [(y, *row)] * count


def _hard_noise() -> Iterator[tuple[int, ...]]:
    """Two equally noisy views, right in 43 of 64: where they differ, either is right as often as the other."""
    for y, first, second in product(range(4), repeat=3):
        yield from [(y, first, second)] * (1, 4, 31)[(first == y) + (second == y)]


def _graded() -> Iterator[tuple[int, ...]]:
    for y, weights in enumerate((GRADES[::-1], GRADES)):
        for first, second in product(range(len(GRADES)), repeat=2):
            yield from [(y, first, second)] * (weights[first] * weights[second])


def _law(name: str, classes: int, signatures: int, cue: int, rows: Iterator[tuple[int, ...]], *, additive: bool) -> Law:
    table = np.array(list(rows), dtype=np.int8)
    table.setflags(write=False)
    return Law(name, classes, signatures, cue, table, additive)


# Why ``additive`` holds (some sum of logits reaches the best fused score): R, U1, U2 need one modality; E and G: the
# logarithm of a product of likelihoods is a sum; H: the second view adds nothing to the first.
PAIR_LAWS: Mapping[str, Law] = MappingProxyType(
    {
        **{name: LAWS[name] for name in ("R", "U1", "U2")},
        "S2": _law("S2", 2, 2, 8, _sums(2), additive=False),
        "S3": _law("S3", 3, 3, 9, _sums(3), additive=False),
        **{name: LAWS[name] for name in ("S4", "M16")},
        "S8": _law("S8", 2, 8, 10, _bent(), additive=False),
        "E": _law("E", 4, 4, LAWS["E"].cue, _erasure(), additive=True),
        "G": _law("G", 2, 16, 11, _graded(), additive=True),
        "H": _law("H", 4, 4, LAWS["H"].cue, _hard_noise(), additive=True),
    }
)
TRIPLE_LAWS: Mapping[str, Law] = MappingProxyType({"T3": _law("T3", 2, 2, 12, _sums(2, 3), additive=False)})


def laws_named(regime: str) -> tuple[Law, ...]:
    """The laws that the items of a regime of classification follow: four for X, else the one of that name."""
    table = {**PAIR_LAWS, **TRIPLE_LAWS}
    return tuple(table[name] for name in MIXED) if regime == "X" else (table[regime],)


class Shown(NamedTuple):
    """What binds the class of one item: its law, the class 0..k-1 and what each modality shows."""

    law: Law
    label: int
    shown: tuple[int, ...]


def best_accuracy(items: Sequence[Shown], observed: Sequence[int]) -> float:
    """Best accuracy on items of these classes, the law being known; with nothing observed it is not known either."""
    if not observed:
        return max(Counter(item.label for item in items).values()) / len(items)
    return sum(len(own) * law_accuracy(law, tuple(observed), drawn(law, own)) for law, own in _by_law(items)) / len(
        items
    )


def additive_accuracy(items: Sequence[Shown]) -> float | None:
    """No sum of logits does better on items of these classes, the law being known to each; None without a certificate.

    The certificates are for equally many of each class: where one class has a times its share, a sum of logits is right
    at most a times as often.
    """
    total = 0.0
    for law, own in _by_law(items):
        labels = drawn(law, own)
        fused = law_accuracy(law, tuple(range(len(own[0].shown))), labels)
        excess = max(labels) * law.classes / len(own)
        if not law.additive and law.name not in ADDITIVE:
            return None
        total += len(own) * (fused if law.additive else min(fused, ADDITIVE[law.name] * excess))
    return total / len(items)


def drawn(law: Law, items: Sequence[Shown]) -> list[int]:
    """How many items of each class there are."""
    counts = Counter(item.label for item in items)
    return [counts[label] for label in range(law.classes)]


def _by_law(items: Sequence[Shown]) -> Iterator[tuple[Law, list[Shown]]]:
    for law in {item.law.name: item.law for item in items}.values():
        yield law, [item for item in items if item.law is law]
