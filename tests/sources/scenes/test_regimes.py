"""Laws of the regimes against the table of the design: classes balanced, best accuracies, exchangeable views."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from mmbench.sources.scenes.regimes import BLANK, HIDDEN, LAWS, MIXED, REGIMES, laws_of


def best_accuracy(name: str, observed: list[int]) -> float:
    """Share of objects that the most probable class given the observation gets right."""
    rows = LAWS[name].rows
    seen: dict[tuple[int, ...], Counter[int]] = {}
    for y, *shown in rows.tolist():
        seen.setdefault(tuple(shown[m] for m in observed), Counter())[y] += 1
    return sum(counts.most_common(1)[0][1] for counts in seen.values()) / len(rows)


@pytest.mark.parametrize(
    ("name", "first", "second", "both"),
    [
        ("R", 1, 1, 1),
        ("U1", 1, 0.25, 1),
        ("U2", 0.25, 1, 1),
        ("S4", 0.25, 0.25, 1),
        ("M16", 1 / 16, 1 / 16, 1),
        ("E", 0.70, 0.70, 0.88),
        ("C", 0.7375, 0.7375, 1),
        ("H", 0.70, 0.70, 0.70),
    ],
)
def test_best_accuracies_are_those_of_the_design(name: str, first: float, second: float, both: float) -> None:
    """Within the rounding of nominal probabilities to counts of 256 (C: a hidden object is guessed, 1/4)."""
    found = best_accuracy(name, [0]), best_accuracy(name, [1]), best_accuracy(name, [0, 1])
    assert found == pytest.approx((first, second, both), abs=0.006)


def test_a_second_noisy_view_gains_exactly_nothing() -> None:
    assert best_accuracy("H", [0, 1]) == best_accuracy("H", [0]) == best_accuracy("H", [1])


@pytest.mark.parametrize("name", LAWS)
def test_classes_and_signatures_are_balanced(name: str) -> None:
    law = LAWS[name]
    assert 1024 % len(law.rows) == 0
    for column in law.rows.T:
        values = column[column >= 0]
        assert set(np.bincount(values, minlength=law.classes)) == {len(values) // law.classes}


@pytest.mark.parametrize("name", ["S4", "M16"])
def test_each_signature_alone_is_independent_of_the_class(name: str) -> None:
    """Chi-square 0 by counts: each pair (y, s_m) occurs equally often."""
    law = LAWS[name]
    for m in (1, 2):
        pairs = Counter(map(tuple, law.rows[:, [0, m]].tolist()))
        assert len(pairs) == law.classes * law.signatures
        assert len(set(pairs.values())) == 1


@pytest.mark.parametrize("name", ["R", "S4", "M16", "E", "C", "H"])
def test_symmetric_laws_do_not_tell_the_modalities_apart(name: str) -> None:
    rows = LAWS[name].rows.tolist()
    assert Counter(map(tuple, rows)) == Counter((y, second, first) for y, first, second in rows)


def test_hidden_sets_are_disjoint_and_erasure_is_independent() -> None:
    complementary, erased = LAWS["C"].rows[:, 1:], LAWS["E"].rows[:, 1:]
    assert not (complementary == HIDDEN).all(axis=1).any()
    assert (complementary == HIDDEN).mean(axis=0) == pytest.approx(0.35, abs=0.002)
    blank = erased == BLANK
    assert blank.mean(axis=0) == pytest.approx(0.4, abs=0.002)
    assert blank.all(axis=1).mean() == pytest.approx(blank.mean(axis=0).prod(), abs=0.002)


def test_every_regime_has_its_own_cue() -> None:
    assert len({law.cue for law in LAWS.values()}) == len(LAWS)
    assert (*LAWS, "X") == REGIMES
    assert tuple(law.name for law in laws_of("X")) == MIXED
