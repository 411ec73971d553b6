"""Laws of whole items: balanced, the design's bounds, and proofs that no sum of logits does better than A*."""

from __future__ import annotations

from collections import Counter
from itertools import permutations, product

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from mmbench.sources.scenes.label_chances import chances, law_accuracy
from mmbench.sources.scenes.label_laws import (
    ADDITIVE,
    PAIR_LAWS,
    TRIPLE_LAWS,
    Shown,
    additive_accuracy,
    best_accuracy,
    laws_named,
)
from mmbench.sources.scenes.oracles import additive

LAWS = PAIR_LAWS | TRIPLE_LAWS


def accuracy(name: str, *observed: int) -> float:
    """Best accuracy with balanced classes."""
    return law_accuracy(LAWS[name], observed, [1] * LAWS[name].classes)


@pytest.mark.parametrize(
    ("name", "first", "second", "both"),
    [
        ("R", 1, 1, 1),
        ("U1", 1, 1 / 4, 1),
        ("U2", 1 / 4, 1, 1),
        ("S2", 1 / 2, 1 / 2, 1),
        ("S3", 1 / 3, 1 / 3, 1),
        ("S4", 1 / 4, 1 / 4, 1),
        ("M16", 1 / 16, 1 / 16, 1),
        ("S8", 1 / 2, 1 / 2, 1),
        ("E", 5 / 8 + 3 / 8 / 4, 5 / 8 + 3 / 8 / 4, 1 - 9 / 64 * 3 / 4),
        ("G", 0.8, 0.8, 0.8825),
        ("H", 43 / 64, 43 / 64, 43 / 64),
    ],
)
def test_bounds_are_those_of_the_laws(name: str, first: float, second: float, both: float) -> None:
    assert (accuracy(name, 0), accuracy(name, 1), accuracy(name, 0, 1)) == pytest.approx((first, second, both))


def test_of_three_bits_no_pair_knows_their_parity() -> None:
    assert [accuracy("T3", *pair) for pair in ((0,), (1, 2), (0, 1), (0, 2))] == [0.5] * 4
    assert accuracy("T3", 0, 1, 2) == 1


@pytest.mark.parametrize("name", LAWS)
def test_classes_are_balanced_and_fill_blocks(name: str) -> None:
    law = LAWS[name]
    assert set(np.bincount(law.rows[:, 0])) == {len(law.rows) // law.classes}
    if name not in ("S3", "G"):
        assert 256 % len(law.rows) == 0


@pytest.mark.parametrize("name", ["S2", "S3", "S4", "M16", "S8", "T3"])
def test_each_signature_alone_is_independent_of_the_class(name: str) -> None:
    law = LAWS[name]
    for column in law.rows.T[1:]:
        pairs = Counter(zip(law.rows[:, 0].tolist(), column.tolist(), strict=True))
        assert len(pairs) == law.classes * law.signatures
        assert len(set(pairs.values())) == 1


def test_erasure_is_independent() -> None:
    blank = LAWS["E"].rows[:, 1:] == -1
    assert blank.mean(axis=0).tolist() == [3 / 8, 3 / 8]
    assert blank.all(axis=1).mean() == 9 / 64


def test_graded_evidence_is_independent_given_the_class() -> None:
    rows = LAWS["G"].rows[LAWS["G"].rows[:, 0] == 1]
    table = np.zeros((16, 16))
    np.add.at(table, (rows[:, 1], rows[:, 2]), 1)
    assert np.array_equal(table * len(rows), np.outer(table.sum(axis=1), table.sum(axis=0)))


def best_sum_by_milp(k: int) -> float:
    """The most of the k * k pairs whose sum modulo k some sum of logits tells: mixed integer programming, gap 0.

    z_ij = 1 forces f_y(i) + g_y(j) >= f_c(i) + g_c(j) + 1 for all c but y; one class and one row are fixed at 0.
    """
    cells = [(i, j, (i + j) % k) for i, j in product(range(k), repeat=2)]
    logits, limit = 2 * k * k, 10.0
    rows = []
    for number, (i, j, y) in enumerate(cells):
        for c in set(range(k)) - {y}:
            row = np.zeros(logits + len(cells))
            row[[i * k + y, k * k + j * k + y]] += 1
            row[[i * k + c, k * k + j * k + c]] -= 1
            row[logits + number] = -(4 * limit + 1)
            rows.append(row)
    least = np.concatenate([np.full(logits, -limit), np.zeros(len(cells))])
    most = np.concatenate([np.full(logits, limit), np.ones(len(cells))])
    fixed = [*range(0, logits, k), *range(k * k, k * k + k)]
    least[fixed] = most[fixed] = 0
    found = milp(
        np.concatenate([np.zeros(logits), -np.ones(len(cells))]),
        constraints=LinearConstraint(np.array(rows), lb=-4 * limit),
        integrality=np.concatenate([np.zeros(logits), np.ones(len(cells))]),
        bounds=Bounds(least, most),
    )
    assert found.status == 0
    assert found.mip_gap == 0
    return -found.fun / len(cells)


@pytest.mark.parametrize("k", [2, 3, 4])
def test_no_sum_of_logits_tells_more_sums_modulo_k(k: int) -> None:
    assert best_sum_by_milp(k) == pytest.approx(ADDITIVE[f"S{k}"])


def test_no_sum_of_logits_tells_more_of_the_bent_function() -> None:
    """With the columns in the order of g, row a is 1 on all columns beyond a cut: all 40,320 orders, all cuts."""
    table = np.zeros((8, 8), dtype=int)
    for y, first, second in LAWS["S8"].rows.tolist():
        table[first, second] = y
    ordered = table[:, np.array(list(permutations(range(8))))]
    start = np.zeros((*ordered.shape[:2], 1), dtype=int)
    zeros_before = np.concatenate([start, np.cumsum(1 - ordered, axis=2)], axis=2)
    ones_beyond = ordered.sum(axis=2, keepdims=True) - np.concatenate([start, np.cumsum(ordered, axis=2)], axis=2)
    right = (zeros_before + ones_beyond).max(axis=2).sum(axis=0)
    assert right.max() / 64 == ADDITIVE["S8"]


def test_no_threshold_of_three_bits_tells_more_of_their_parity() -> None:
    """All 104 threshold functions of three bits have whole weights of at most 2 and a half-whole threshold."""
    bits = np.array(list(product((0, 1), repeat=3)))
    parity = bits.sum(axis=1) % 2
    functions = {
        tuple((bits @ weights > threshold + 0.5).tolist())
        for weights in product(range(-2, 3), repeat=3)
        for threshold in range(-7, 7)
    }
    assert len(functions) == 104
    assert max((np.array(function) == parity).mean() for function in functions) == ADDITIVE["T3"]


@pytest.mark.parametrize("name", [name for name, law in LAWS.items() if law.additive or name in ADDITIVE])
def test_the_constructed_sum_reaches_the_best_one(name: str) -> None:
    law = LAWS[name]
    right = np.mean([additive.decide(law, shown) == y for y, *shown in law.rows.tolist()])
    fused = accuracy(name, *range(law.rows.shape[1] - 1))
    assert right == pytest.approx(fused if law.additive else ADDITIVE[name])


def items(name: str, labels: list[int]) -> list[Shown]:
    """Items of one law of these classes."""
    return [Shown(LAWS[name], label, (0, 0)) for label in labels]


def test_bounds_follow_the_classes_drawn() -> None:
    """Three items of four are class 0: guessing gives 3/4 in S4, and E guesses its erased items so."""
    uneven = [0] * 12 + [1, 1, 2, 3]
    assert best_accuracy(items("S4", uneven), ()) == 0.75
    assert best_accuracy(items("S4", uneven), (0,)) == 0.75
    assert best_accuracy(items("E", uneven), (0,)) == pytest.approx(5 / 8 + 3 / 8 * 0.75)
    assert additive_accuracy(items("S4", uneven)) == 1
    assert additive_accuracy(items("S4", [0, 1, 2, 3])) == 0.75
    assert additive_accuracy(items("M16", list(range(16)))) is None


def test_where_classes_are_uneven_no_sum_of_logits_exceeds_its_certificate() -> None:
    """S2 with 60 of 100 items in class 0: the best of all sums (16 thresholds of two bits) is at most .75 * 1.2."""
    share = np.where(np.array([0, 1, 1, 0]) == 0, 0.3, 0.2)
    right = [
        np.array([0, 1, 1, 0]) == np.array(f)
        for f in product((0, 1), repeat=4)
        if f not in ((0, 1, 1, 0), (1, 0, 0, 1))
    ]
    best = max(float(share[r].sum()) for r in right)
    assert best <= additive_accuracy(items("S2", [0] * 60 + [1] * 40)) == pytest.approx(0.9)


def test_chances_follow_the_rows() -> None:
    assert chances(LAWS["S4"], {0: 1, 1: 2}) == {3: 1.0}
    assert chances(LAWS["S4"], {0: 1}) == dict.fromkeys(range(4), 0.25)
    assert chances(LAWS["E"], {0: -1}) == dict.fromkeys(range(4), 0.25)
    with pytest.raises(KeyError):
        chances(LAWS["S4"], {0: -1})


def test_x_mixes_four_laws() -> None:
    assert [law.name for law in laws_named("X")] == ["R", "U1", "U2", "S4"]
    assert len({law.cue for law in LAWS.values()}) == len(LAWS)
