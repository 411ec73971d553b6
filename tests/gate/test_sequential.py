"""Decisions about ratios at several looks: error rates by simulation, and what sticks."""

from __future__ import annotations

from collections.abc import Callable
from math import log

import numpy as np
import pytest

from mmbench.core.errors import ExitCode
from mmbench.gate.ab import LATENCY, MEMORY, TAIL, AbRules, compare, report
from mmbench.gate.family import Status
from mmbench.gate.sequential import LOOKS, SHARES, Quantity, look
from mmbench.perf.interleaved import Session, order
from mmbench.stats.decisions import Outcome


def sessions(ratio: float, noise: float, seed: int, spread: Callable | None = None) -> Callable[[int], Session]:
    """Two blocks a side; the head takes ``ratio`` as long, and each session has a noise of its own."""
    random = np.random.default_rng(seed)
    draw = spread or (lambda: noise * random.normal())

    def measure(_: int) -> Session:
        slow = ratio * np.exp(draw())
        block = tuple(0.001 * np.exp(0.01 * random.normal(size=8)))
        head = tuple(t * slow for t in block)
        return Session((block, block), (head, head), (100.0, 100.0), True)

    return measure


def decided(ratio: float, noise: float, seed: int, **rules: float) -> tuple[Status, int]:
    found = compare(sessions(ratio, noise, seed), AbRules(**rules), lambda: 0.0, lambda _: None)
    line = next(f for f in report(found, "x", "warn").findings if f.metric == LATENCY)
    return line.status, len(found.sessions)


def test_alpha_is_spent_once() -> None:
    assert sum(SHARES) == pytest.approx(1)
    assert len(SHARES) == len(LOOKS)


@pytest.mark.parametrize(("ratio", "never"), [(1.0, Status.REGRESS), (1.05, None), (1.10, Status.PASS)])
def test_error_rates_with_a_margin_of_five_percent(ratio: float, never: Status | None) -> None:
    """150 comparisons with a session noise of 3 %: A/A never regresses, +10 % never passes, at the margin 5 % each."""
    found = [decided(ratio, 0.03, seed)[0] for seed in range(150)]
    rates = {status: found.count(status) / 150 for status in Status}
    if never is not None:
        assert rates[never] == 0
        assert rates[Status.PASS if ratio == 1 else Status.REGRESS] > 0.9
    else:
        assert rates[Status.PASS] <= 0.05 + 2 * (0.05 * 0.95 / 150) ** 0.5
        assert rates[Status.REGRESS] <= 0.05 + 2 * (0.05 * 0.95 / 150) ** 0.5


def test_a_quiet_comparison_ends_at_the_first_look() -> None:
    assert decided(1.0, 0.005, 0) == (Status.PASS, LOOKS[0])
    assert decided(1.25, 0.005, 0) == (Status.REGRESS, LOOKS[0])


def test_a_verdict_sticks() -> None:
    """A quantity that was settled at an earlier look keeps its verdict, whatever comes later."""
    first = Quantity("t", log(1.05), (0.3, 0.31, 0.29, 0.3, 0.3, 0.31))
    (regress,) = look([first], [None], number=0)
    later = Quantity("t", log(1.05), (0.0,) * 9 + (0.001,))
    assert look([later], [regress], number=1) == [regress]
    assert regress.outcome is Outcome.REGRESS


def test_no_early_pass_on_odd_data() -> None:
    """One session in ten is 15 % slower: the head's rare slow mode. Even sessions pass, odd ones must go on to 16."""
    even = (0.0, 0.001, -0.001, 0.0005, -0.0005, 0.0, 0.001, -0.001, 0.0005, -0.0005)
    odd = (*even[:-1], 0.012)
    margin = log(1.05)
    assert look([Quantity("t", margin, even)], [None], number=1)[0].outcome is Outcome.PASS
    assert look([Quantity("t", margin, odd)], [None], number=1)[0].outcome is Outcome.INCONCLUSIVE


def test_the_budget_ends_an_undecided_comparison_and_says_what_it_takes() -> None:
    clock = iter(range(1000))
    found = compare(sessions(1.04, 0.1, 3), AbRules(budget_s=8), lambda: next(clock), lambda _: None)
    told = report(found, "x", "fail")
    line = next(f for f in told.findings if f.metric == LATENCY)
    assert len(found.sessions) < 10
    assert (line.status, told.code) == (Status.INCONCLUSIVE, ExitCode.INCONCLUSIVE)
    assert "sessions would decide" in line.says


def slow_mode(number: int) -> Session:
    """The head's calls have the base's median, and one in five takes twice as long."""
    random = np.random.default_rng(number)
    base, head = (tuple(0.001 * np.exp(0.002 * random.normal(size=20))) for _ in range(2))
    return Session((base, base), ((*head[:-4], *(2 * t for t in head[-4:])),) * 2, (100.0, 100.0), True)


def test_a_slow_mode_that_the_median_hides_is_a_regression_of_the_tail() -> None:
    found = compare(slow_mode, AbRules(), lambda: 0.0, lambda _: None)
    told = report(found, "x", "warn")
    status = {line.metric: line.status for line in told.findings}
    assert (status[LATENCY], status[TAIL]) == (Status.PASS, Status.REGRESS)
    assert told.code == ExitCode.REGRESSION


def tail_noise(number: int) -> Session:
    """Equal sides; the slowest quarter of the calls is another in each session."""
    random = np.random.default_rng(number)
    sides = [tuple([0.001] * 15 + [0.001 * np.exp(0.3 * random.normal())] * 5) for _ in range(2)]
    return Session((sides[0],), (sides[1],), (100.0, 100.0), True)


def test_sessions_go_on_until_all_that_is_gated_is_decided() -> None:
    """The median is settled at the first look; a tail that is gated takes all of them, and is then no pass."""
    both = compare(tail_noise, AbRules(), lambda: 0.0, lambda _: None)
    alone = compare(tail_noise, AbRules(gated=(LATENCY,)), lambda: 0.0, lambda _: None)
    assert (len(both.sessions), len(alone.sessions)) == (max(LOOKS), LOOKS[0])
    assert report(both, "x", "fail").code == ExitCode.INCONCLUSIVE
    assert report(alone, "x", "fail").code == ExitCode.OK


def test_a_regression_ends_the_sessions_whatever_the_tail_does() -> None:
    """Half as slow again, with a tail that cannot be known: the first look is the last."""

    def measure(number: int) -> Session:
        one = tail_noise(number)
        return Session(one.base, tuple(tuple(1.5 * t for t in block) for block in one.head), one.memory, True)

    found = compare(measure, AbRules(), lambda: 0.0, lambda _: None)
    assert len(found.sessions) == LOOKS[0]
    assert report(found, "x", "warn").code == ExitCode.REGRESSION


def test_the_sign_flip_p_is_told_beside() -> None:
    """Six differences of one sign: 2 of 64 patterns are as extreme."""
    line = report(compare(slow_mode, AbRules(), lambda: 0.0, lambda _: None), "x", "warn").findings[1]
    assert (line.metric, line.n) == (TAIL, 6)
    assert line.sign_flip_p == pytest.approx(2 / 64)
    assert (line.base, line.head) == (pytest.approx(1, rel=0.01), pytest.approx(2, rel=0.01))


def test_peak_memory_is_compared_without_statistics() -> None:
    def measure(number: int) -> Session:
        one = sessions(1.0, 0.001, number)(number)
        return Session(one.base, one.head, (100.0, 112.0), True)

    found = compare(measure, AbRules(), lambda: 0.0, lambda _: None)
    (line,) = [f for f in report(found, "x", "warn").findings if f.metric == MEMORY]
    assert line.status is Status.REGRESS


@pytest.mark.parametrize("seed", range(6))
def test_the_order_is_balanced(seed: int) -> None:
    """Each side goes first equally often, and a linear drift over the eight blocks of four pairs cancels."""
    firsts = order(4, seed, 0)
    assert sorted(firsts) == [0, 0, 1, 1]
    positions = {0: [], 1: []}
    for place, first in enumerate(firsts):
        positions[first].append(2 * place)
        positions[1 - first].append(2 * place + 1)
    assert sum(positions[0]) == sum(positions[1])
