"""The gate's arithmetic: three outcomes, bounds that agree with p-values, families, and what must never pass."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import product

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mmbench.stats.decisions import BinaryHarm, Harm, Outcome, SignFlipHarm, StudentHarm, decide
from mmbench.stats.multiple import sequential_p
from mmbench.stats.permutation import TypicalValues
from mmbench.stats.power import groups_to_decide

STUDENT = st.builds(
    StudentHarm,
    st.floats(-0.1, 0.1),
    st.sampled_from([0.0, 1e-9, 0.01, 0.05]),
    st.sampled_from([2.0, 9.0, 400.0, math.inf]),
    st.sampled_from([3, 6, 400]),
    st.sampled_from([0.0, 0.01, -0.06]),
)
BINARY = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(1, 300)).map(
    lambda t: BinaryHarm(t[0], t[1], sum(t))
)


def sign_flip(differences: list[float]) -> SignFlipHarm:
    sizes = np.ones(len(differences))
    return SignFlipHarm(float(np.mean(differences)), TypicalValues.of(differences, sizes))


FLIPS = st.lists(st.floats(-0.1, 0.1), min_size=2, max_size=9).map(sign_flip)


def outcome(harm: Harm, margin: float | None, **levels: float) -> Outcome:
    return decide([harm], [margin], **levels)[0].outcome


def test_three_outcomes() -> None:
    """U = 0.013, L = -0.003 at an error of 0.005 and a harm of 0.005, many groups."""
    harm = StudentHarm(0.005, 0.005, 10_000, 1000)
    assert outcome(harm, 0.02) is Outcome.PASS
    assert outcome(harm, 0.01) is Outcome.INCONCLUSIVE
    assert outcome(StudentHarm(0.025, 0.005, 10_000, 1000), 0.01) is Outcome.REGRESS
    assert outcome(harm, None) is Outcome.NOT_DETECTED
    assert outcome(StudentHarm(0.025, 0.005, 10_000, 1000), None) is Outcome.REGRESS


@pytest.mark.parametrize("acceleration", [0.03, -0.03])
def test_skewed_groups_are_judged_with_more_care(acceleration: float) -> None:
    """Each bound is at least as far out as Student's, and one is further: the upper one of a harm skewed upwards."""
    plain, skewed = StudentHarm(0.01, 0.01, 39, 40), StudentHarm(0.01, 0.01, 39, 40, acceleration)
    assert skewed.lower(0.05) <= plain.lower(0.05)
    assert skewed.upper(0.05) >= plain.upper(0.05)
    assert (skewed.upper(0.05) > plain.upper(0.05)) == (acceleration > 0)
    assert (skewed.lower(0.05) < plain.lower(0.05)) == (acceleration < 0)
    # Hall's cubic by hand at the upper bound: t there is the 5 % quantile after the correction.
    if acceleration > 0:
        t = (0.01 - skewed.upper(0.05)) / 0.01
        cubic = t + 2 * acceleration * t**2 + 4 / 3 * acceleration**2 * t**3 + acceleration
        assert cubic == pytest.approx(-1.684875, abs=1e-5)  # Student's with 39 degrees of freedom


def test_a_tolerated_drop_is_a_slip() -> None:
    """Proven to be over 0 and under the margin."""
    (verdict,) = decide([StudentHarm(0.01, 0.001, 500, 1000)], [0.02])
    assert (verdict.outcome, verdict.slip) == (Outcome.PASS, True)
    assert not decide([StudentHarm(-0.01, 0.001, 500, 1000)], [0.02])[0].slip


@given(STUDENT | BINARY | FLIPS, st.sampled_from([0.0, 0.005, 0.02, 0.1]), st.sampled_from([0.01, 0.05]))
@settings(max_examples=150, deadline=None)
def test_bounds_and_p_values_are_one_test(harm: Harm, margin: float, alpha: float) -> None:
    """The upper bound is under the margin exactly where p_under says so; the lower over it exactly where p_over does.

    The exact test of few discordant samples is not quite monotone in the margin: next to alpha its bound may differ.
    """
    lower, upper = harm.lower(alpha), harm.upper(alpha)
    assert lower <= harm.value + 1e-9
    assert upper >= harm.value - 1e-9
    if abs(upper - margin) > 1e-7:
        assert (upper < margin) == (harm.p_under(margin) <= alpha)
    if abs(lower - margin) > 1e-7:
        p = harm.p_over(margin)
        wavers = isinstance(harm, BinaryHarm) and abs(p - alpha) < 0.05 * alpha
        assert wavers or (lower > margin) == (p <= alpha)


@given(st.builds(BinaryHarm, st.integers(0, 14), st.integers(0, 10), st.integers(24, 60)), st.floats(0, 0.2))
@example(BinaryHarm(9, 3, 16), 0.005)
def test_no_regression_is_claimed_against_the_bound_shown(harm: BinaryHarm, margin: float) -> None:
    """With few discordant samples too: REGRESS only where p is at most alpha and the lower bound over the margin."""
    (verdict,) = decide([harm], [margin])
    if verdict.outcome is Outcome.REGRESS:
        assert verdict.p <= 0.05
        assert verdict.lower > margin - 1e-6


@given(st.lists(st.tuples(STUDENT, st.sampled_from([None, 0.0, 0.01, 0.05])), min_size=1, max_size=8))
def test_verdicts_show_their_reasons(family: list[tuple[StudentHarm, float | None]]) -> None:
    """REGRESS exactly where Holm's p is at most alpha and the bound shown is over the margin; PASS where U is under."""
    harms, margins = zip(*family, strict=True)
    for harm, margin, verdict in zip(harms, margins, decide(harms, margins), strict=True):
        assert (verdict.outcome is Outcome.REGRESS) == (verdict.p <= 0.05)
        if abs(verdict.lower - (margin or 0.0)) > 1e-9:
            assert (verdict.outcome is Outcome.REGRESS) == (verdict.lower > (margin or 0.0))
        if verdict.outcome is Outcome.PASS:
            assert verdict.upper <= margin + 1e-12
        if margin is None:
            assert verdict.outcome in (Outcome.REGRESS, Outcome.NOT_DETECTED)
        assert verdict.harm == harm.value


def test_holm_is_over_the_family_and_pass_is_not_corrected() -> None:
    """A harm with p = 0.02 alone regresses, not among ten; passing does not depend on the others."""
    worse, fine = StudentHarm(0.0205, 0.01, math.inf, 1000), StudentHarm(0.0, 0.001, math.inf, 1000)
    assert outcome(worse, None) is Outcome.REGRESS
    found = decide([worse] + [fine] * 9, [None] + [0.01] * 9)
    assert [verdict.outcome for verdict in found] == [Outcome.NOT_DETECTED] + [Outcome.PASS] * 9


@pytest.mark.parametrize(
    "harm", [StudentHarm(math.nan, 0.1, 9, 1000), StudentHarm(0.0, math.nan, 9, 1000), StudentHarm(0.0, 0.0, 0, 1)]
)
def test_what_is_undefined_never_passes(harm: StudentHarm) -> None:
    """NaN, or a single group: inconclusive under any margin, with infinite bounds."""
    assert outcome(harm, 100.0) is Outcome.INCONCLUSIVE
    assert (harm.lower(0.05), harm.upper(0.05)) == (-math.inf, math.inf)


@pytest.mark.parametrize(("groups", "expected"), [(4, Outcome.INCONCLUSIVE), (5, Outcome.PASS)])
def test_constant_differences_prove_as_much_as_a_sign_flip(groups: int, expected: Outcome) -> None:
    """No spread: 2**-4 is over 0.05 and 2**-5 is under it, on either side of the margin."""
    assert outcome(StudentHarm(0.0, 0.0, groups - 1, groups), 0.01) is expected
    regress = outcome(StudentHarm(0.02, 0.0, groups - 1, groups), 0.01)
    assert (regress is Outcome.REGRESS) == (expected is Outcome.PASS)
    assert outcome(StudentHarm(0.01, 0.0, 50, 1000), 0.01) is Outcome.INCONCLUSIVE
    assert outcome(sign_flip([0.0] * groups), 0.01) is expected


def test_swapped_sides_and_a_flipped_direction_are_seen() -> None:
    """The same numbers the other way round do not give the same verdict."""
    assert outcome(BinaryHarm(60, 20, 1000), 0.01) is Outcome.REGRESS
    assert outcome(BinaryHarm(20, 60, 1000), 0.01) is Outcome.PASS
    assert outcome(StudentHarm(-0.03, 0.005, 99, 1000), 0.01) is Outcome.PASS
    assert outcome(StudentHarm(0.03, 0.005, 99, 1000), 0.01) is Outcome.REGRESS


def test_no_loss_is_the_rule_of_three() -> None:
    """0 of n lost: the bound is 1 - alpha**(1/n), about 3 / n."""
    assert BinaryHarm(0, 0, 300).upper(0.05) == pytest.approx(1 - 0.05 ** (1 / 300))
    assert outcome(BinaryHarm(0, 0, 290), 0.01) is Outcome.INCONCLUSIVE
    assert outcome(BinaryHarm(0, 0, 300), 0.01) is Outcome.PASS


def test_negative_margins_are_refused() -> None:
    """A margin is the tolerated harm; NaN is none."""
    for margin in (-0.01, math.nan):
        with pytest.raises(ValueError, match="not negative"):
            decide([StudentHarm(0, 1, 9, 1000)], [margin])


def rejected(harms: Sequence[Harm], margin: float) -> tuple[int, int]:
    """How many would be PASS and REGRESS at 0.05."""
    times = Counter(harms)
    passed = sum(k for harm, k in times.items() if harm.p_under(margin) <= 0.05)
    return passed, sum(k for harm, k in times.items() if harm.p_over(margin) <= 0.05)


@pytest.mark.parametrize(("discordance", "pairs"), list(product([0.02, 0.1], [200, 1000])))
def test_at_the_margin_neither_is_claimed(discordance: float, pairs: int) -> None:
    """True harm = margin, 1,000 gates of right or wrong answers: PASS and REGRESS at most 5 % each (+ 3 errors)."""
    random = np.random.default_rng(pairs)
    margin = 0.01
    shares = [(discordance + margin) / 2, (discordance - margin) / 2, 1 - discordance]
    harms = [BinaryHarm(int(b), int(c), pairs) for b, c, _ in random.multinomial(pairs, shares, 1000)]
    passed, regressed = rejected(harms, margin)
    assert passed <= 50 + 3 * 7
    assert regressed <= 50 + 3 * 7


def test_few_groups_at_the_margin() -> None:
    """Twelve groups by sign flips, true harm = margin: PASS and REGRESS about 5 % each, and never far over."""
    random = np.random.default_rng(4)
    harms = [sign_flip((0.02 + random.normal(0, 0.03, 12)).tolist()) for _ in range(500)]
    for claims in rejected(harms, 0.02):
        assert 10 <= claims <= 40


def test_false_alarms_over_a_family() -> None:
    """Twenty metrics without a change in detect mode: any REGRESS in at most 5 % of 1,000 families (+ 3 errors)."""
    random = np.random.default_rng(5)
    values = random.normal(0, 0.01, (1000, 20)) + random.normal(0, 0.003, (1000, 1))
    spread = math.hypot(0.01, 0.003)
    alarms = sum(
        any(
            v.outcome is Outcome.REGRESS
            for v in decide([StudentHarm(x, spread, math.inf, 1000) for x in row], [None] * 20)
        )
        for row in values
    )
    assert alarms <= 50 + 3 * 7


@pytest.mark.parametrize("metrics", [1, 10])
def test_the_planned_number_of_groups_finds_twice_the_margin(metrics: int) -> None:
    """True harm = 2 margins in one of the metrics: REGRESS at the n of the plan about as often as its power, 97 %."""
    random = np.random.default_rng(metrics)
    margin, spread = 0.01, 0.1
    groups = int(groups_to_decide(spread, 1, 2 * margin, margin, alpha=0.05 / metrics, power=0.97))
    found = 0
    for _ in range(400):
        values = random.normal(2 * margin * (np.arange(metrics) == 0)[:, None], spread, (metrics, groups))
        errors = values.std(axis=1, ddof=1) / math.sqrt(groups)
        harms = [
            StudentHarm(float(m), float(e), groups - 1, groups)
            for m, e in zip(values.mean(axis=1), errors, strict=True)
        ]
        found += decide(harms, [margin] * metrics)[0].outcome is Outcome.REGRESS
    assert found >= 400 * 0.95


def test_rerunning_until_green_does_not_pass() -> None:
    """True harm = margin, three tries that share alpha through the ledger: any PASS in at most 5 % (+ 3 errors)."""
    random = np.random.default_rng(7)
    shares = np.array([0.2, 0.3, 0.5])
    tries = random.normal(0.01, 0.005, (2000, 3))
    p_values = [[StudentHarm(x, 0.005, math.inf, 1000).p_under(0.01) for x in row] for row in tries]
    passed = sum(any(sequential_p(np.array(row[:k]), shares) <= 0.05 for k in (1, 2, 3)) for row in p_values)
    careless = sum(min(row) <= 0.05 for row in p_values)
    assert passed <= 100 + 3 * 10
    assert careless > 200
