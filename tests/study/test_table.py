"""The table of a study on made trainings whose truth is known."""

from __future__ import annotations

import math
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest

from mmbench.core.bounds import Bounds
from mmbench.core.metric import metric_named
from mmbench.stats.multiple import holm
from mmbench.stats.seeds import two_way
from mmbench.study.contrasts import contrast
from mmbench.study.table import Line, Measured, StudyTable, Subject, tabulate

SAMPLES = 400
BOUNDS = Bounds(
    metric="accuracy", chance=0.25, unimodal={"image": 0.25, "text": 0.25}, fused=1.0, additive=0.75, spec_version=1
)


def table(lines: list[Measured], bounds: Bounds | None = BOUNDS) -> StudyTable:
    subject = Subject("cls-it@1", "frozen", metric_named("accuracy"), "concat", SAMPLES, bounds)
    return tabulate(subject, lines)


def line(found: StudyTable, name: str) -> Line:
    return next(line for line in found.lines if line.name == name)


@pytest.fixture
def four(made: SimpleNamespace) -> list[Measured]:
    """Three strategies, one of them far worse and two alike, and a modality alone."""
    rates = {"concat": 0.85, "gmu": 0.853, "sum": 0.3}
    lines = [made.measured(n, made.drawn([r, r + 0.01, r - 0.01, r, r], SAMPLES, seed=5)) for n, r in rates.items()]
    only = made.measured("only:text", made.drawn([0.25] * 5, SAMPLES, seed=5), control="unimodal", validation=0.3)
    return [*lines, only]


def test_the_best_comes_first_and_controls_last(four: list[Measured]) -> None:
    names = [one.name for one in table(four).lines]
    assert set(names[:2]) == {"concat", "gmu"}
    assert names[2:] == ["sum", "only:text"]


def test_alike_strategies_are_not_told_apart(four: list[Measured]) -> None:
    """They share the first two ranks; the bad one is third for certain; a control has no rank."""
    found = table(four)
    ranks = {one.name: one.rank for one in found.lines}
    assert ranks == {"concat": (1, 2), "gmu": (1, 2), "sum": (3, 3), "only:text": None}


def test_it_says_how_many_samples_it_would_take(four: list[Measured]) -> None:
    """Only where a difference is not proved; a difference of nothing needs endless ones."""
    found = table(four)
    assert line(found, "sum").needed is None
    assert line(found, "concat").needed is None
    needed = line(found, "gmu").needed
    assert needed is not None
    assert needed > SAMPLES


def test_differences_are_those_of_the_two_way_analysis(four: list[Measured]) -> None:
    """Holm over the strategies, controls left out of the family."""
    found = table(four)
    pairs = {
        name: two_way([one.seeds, four[0].seeds], [1, -1]) for name, one in zip(["gmu", "sum"], four[1:3], strict=True)
    }
    adjusted = holm(np.array([pair.p for pair in pairs.values()]))
    for (name, pair), p in zip(pairs.items(), adjusted, strict=True):
        one = line(found, name)
        assert one.difference is not None
        assert one.difference.ranged.value == pytest.approx(pair.value)
        assert one.adjusted == pytest.approx(p)
    assert line(found, "only:text").adjusted is None
    assert line(found, "only:text").difference is not None
    assert line(found, "concat").difference is None


def test_the_share_of_the_gain_maps_the_interval(four: list[Measured]) -> None:
    """phi = (s - U*)/(F* - U*), end by end; psi certifies interaction by its lower end."""
    found = line(table(four), "concat")
    for share, low in ((found.phi, 0.25), (found.psi, 0.75)):
        assert share is not None
        for end in ("value", "low", "high"):
            assert getattr(share, end) == pytest.approx((getattr(found.score, end) - low) / (1 - low))


def test_without_bounds_there_are_no_shares(four: list[Measured]) -> None:
    found = line(table(four, None), "concat")
    assert found.phi is None
    assert found.psi is None


@pytest.mark.parametrize(
    ("name", "control", "rate", "validation", "best"),
    [
        # Not the one that did best on the test samples, which would favour it.
        ("only:image", "unimodal", 0.28, 0.2, "only:text"),
        # A deeper head gains over only:M also where there is nothing to fuse.
        ("wide:text", "wide", 0.8, 0.8, "wide:text"),
    ],
)
def test_the_gain_is_over_the_model_of_one_modality_that_validated_best(
    four: list[Measured], made: SimpleNamespace, name: str, control: str, rate: float, validation: float, best: str
) -> None:
    other = made.measured(name, made.drawn([rate] * 5, SAMPLES, seed=9), control=control, validation=validation)
    found = table([*four, other])
    assert found.best_unimodal == best
    over = next(one for one in [*four, other] if one.strategy.name == best)
    gain = line(found, "concat").gain
    assert gain is not None
    assert gain.ranged.value == pytest.approx(contrast(four[0].seeds, over.seeds).ranged.value)
    assert line(found, best).gain is None


def test_labels_that_reach_nine_tenths(four: list[Measured]) -> None:
    """Of F*, log-linear between the counts; a strategy that does not get there says so."""
    curves = {"concat": ((20, 0.5), (200, 0.8), (2000, 1.0)), "sum": ((20, 0.25), (200, 0.3), (2000, 0.3))}
    lines = [
        Measured(one.strategy, one.seeds, one.validation, one.cost, curves.get(one.strategy.name, ())) for one in four
    ]
    found = table(lines)
    assert found.goal == pytest.approx(0.9)
    assert line(found, "concat").nearly == pytest.approx(200 * math.sqrt(10))
    assert line(found, "sum").nearly == math.inf
    assert line(found, "gmu").nearly is None


def test_one_seed_claims_nothing_of_seeds(made: SimpleNamespace) -> None:
    """The interval is that of the samples, and the table says that it does not speak of new trainings."""
    lines = [made.measured(name, made.drawn([0.8], SAMPLES, seed=n)) for n, name in enumerate(["concat", "gmu"])]
    found = table(lines)
    assert not found.claims_seeds
    one = line(found, "concat")
    error = lines[0].seeds[0].error
    assert one.score.low == pytest.approx(one.score.value - 1.966 * error, abs=2e-4)


def test_ranks_come_from_all_pairs(made: SimpleNamespace) -> None:
    """A chain in which neighbours are alike and the ends are not: ranges overlap, and there are no groups."""
    rates = [0.60, 0.66, 0.72]
    names = ["concat", "gmu", "sum"]
    lines = [made.measured(n, made.drawn([r] * 5, SAMPLES, seed=5)) for n, r in zip(names, rates, strict=True)]
    p_values = holm(np.array([contrast(a.seeds, b.seeds).p for a, b in combinations(lines, 2)]))
    found = {one.name: one.rank for one in table(lines).lines}
    better = dict.fromkeys(names, 0)
    worse = dict.fromkeys(names, 0)
    for ((a, _), (b, _)), p in zip(combinations(enumerate(names), 2), p_values, strict=True):
        if p <= 0.05:
            worse[names[b]] += 1
            better[names[a]] += 1
    assert found == {name: (1 + better[name], 3 - worse[name]) for name in names}


def test_the_detectable_effect_is_found_with_its_probability(made: SimpleNamespace) -> None:
    """At the true difference that the table calls detectable, about four of five studies tell the two apart."""
    found = []
    for seed in range(150):
        lines = [
            made.measured("concat", made.drawn([0.6] * 5, 300, seed)),
            made.measured("gmu", made.drawn([0.65] * 5, 300, seed + 999)),
        ]
        found.append(lines)
    tables = [table(lines) for lines in found]
    effect = float(np.median([one.detectable for one in tables if one.detectable is not None]))
    errors = [line(one, "gmu").difference for one in tables]
    shifted = [one.measured.value - 0.05 + effect for one in errors if one is not None]
    told = [
        abs(value) > 1.96 * one.measured.error for value, one in zip(shifted, errors, strict=True) if one is not None
    ]
    assert 0.7 < np.mean(told) < 0.93


def test_the_excess_is_over_what_one_modality_can_reach(four: list[Measured]) -> None:
    """Of a constant, so that its error is the score's own; Holm is over the strategies, controls are none of them."""
    found = table(four)
    concat = line(found, "concat")
    assert concat.excess is not None
    assert concat.excess.ranged.value == pytest.approx(concat.score.value - 0.25)
    assert concat.excess.measured.error == pytest.approx(two_way([four[0].seeds], [1.0]).error)
    assert line(found, "only:text").excess is None
    ranked = {one.name: one for one in found.lines if one.excess is not None}
    alone = np.array([one.excess.p for one in ranked.values() if one.excess is not None])
    adjusted = [one.excess_adjusted for one in ranked.values()]
    np.testing.assert_allclose(adjusted, holm(alone))


def test_without_bounds_there_is_no_excess(four: list[Measured]) -> None:
    assert all(one.excess is None and one.excess_adjusted is None for one in table(four, None).lines)
