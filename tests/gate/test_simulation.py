"""A fast part of the gate's simulation: its error rates are those of docs/gate-simulation.md, by the shipped code.

The whole study is tests/gate/gate_report.py. Limits are those of the study, plus three standard errors of these runs.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from gate_report import at_least, at_most
from gate_scenarios import BINARY, CLUSTERED, CORPUS, Scenario
from gate_study import Rate, attack, family, power, single


@pytest.mark.parametrize(
    ("scenario", "n", "runs"),
    [(BINARY[2], 200, 200), (CLUSTERED[1], 200, 300), (CORPUS[2], 200, 150), (CORPUS[3], 200, 200)],
    ids=lambda value: value.name if isinstance(value, Scenario) else str(value),
)
def test_one_metric_errs_rarely(scenario: Scenario, n: int, runs: int) -> None:
    """No false REGRESS of an unchanged model, and neither verdict at the margin, in more than 5 %; not in none."""
    found = single(scenario, n, runs)
    rates = (found.false_regress, found.regress_at_margin, found.pass_at_margin)
    assert all(rate.is_at_most(0.05, errors=3) for rate in rates), found
    assert any(rate.hits for rate in rates)


@pytest.mark.parametrize("metrics", [1, 10])
def test_a_family_errs_as_rarely_as_one_metric(metrics: int) -> None:
    """Any false REGRESS over the whole family, without and with margins."""
    found = family((CORPUS[3], BINARY[2]), metrics, 200, 50)
    assert found.false_regress.is_at_most(0.05, errors=3)
    assert found.regress_at_margin.is_at_most(0.05, errors=3)
    assert found.false_regress_with_margins.hits == 0
    assert found.all_pass_at_margin.is_at_most(0.05, errors=3)


@pytest.mark.parametrize("metrics", [1, 10])
def test_two_margins_are_found_at_the_planned_n(metrics: int) -> None:
    """REGRESS of the harmed metric in at least 95 %, of the unchanged ones hardly ever."""
    found = power(CORPUS[3], metrics, 40)
    assert found.regress.is_at_least(0.95, errors=3)
    assert found.others.is_at_most(0.05, errors=3)


def test_rerunning_until_green_does_not_help(tmp_path: Path) -> None:
    """Three looks at a change whose harm is the margin: a PASS in at most 5 % through the ledger, far more without."""
    found = attack(CORPUS[3], 200, 250, tmp_path)
    assert found.passes.is_at_most(0.05, errors=3)
    assert found.without_ledger.value > 0.09


def test_what_does_not_hold_is_in_bold() -> None:
    assert (at_most(Rate(59, 1000)), at_most(Rate(80, 1000))) == ("5.9 ± 0.7", "**8.0 ± 0.9**")
    assert (at_least(Rate(94, 100)), at_least(Rate(85, 100))) == ("94.0 ± 2.4", "**85.0 ± 3.6**")
