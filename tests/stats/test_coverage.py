"""A fast part of the coverage study: the chosen methods hold the truth about as often as they say.

The whole study is tests/stats/coverage_report.py. Limits are those of the study widened by three standard errors of
these runs.
"""

from __future__ import annotations

import numpy as np
import pytest
from coverage_report import table
from coverage_scenarios import SCENARIOS, Scenario
from coverage_study import SHIPPED, coverage, seed_coverage

SETS = 300
FAST = [scenario for scenario in SCENARIOS if scenario.claim and scenario.kind != "weighted"]
ROOM = 3 * np.sqrt(0.05 * 0.95 / SETS)


@pytest.mark.parametrize("scenario", FAST, ids=lambda scenario: scenario.name)
def test_the_chosen_method_covers(scenario: Scenario) -> None:
    """Differences and scores at n = 200, nominal 95 %."""
    cells = {(cell.quantity, cell.method): cell for cell in coverage(scenario, 200, SETS, large_sets=1)}
    for quantity in ("difference", "score"):
        cell = cells[quantity, SHIPPED]
        assert 0.93 - ROOM <= cell.covers <= 0.97 + ROOM


def test_seeds_crossed_with_samples_cover() -> None:
    """Three seeds a side: the two-way interval covers; the samples alone do not, which is why it is there."""
    cells = seed_coverage(3, 150, 1.0, 150, draws=100)
    room = 3 * np.sqrt(0.05 * 0.95 / 150)
    for cell in cells:
        if cell.method == "two-way-t":
            assert 0.92 - room <= cell.covers <= 0.98 + room
        if cell.method == "samples alone" and cell.quantity == "difference":
            assert cell.covers < 0.85


def test_the_study_is_seeded_and_its_table_marks_the_choice() -> None:
    """The same cells twice, one row a cell, what is shipped in bold and its method in italics."""
    first, second = coverage(FAST[0], 200, 20, large_sets=1), coverage(FAST[0], 200, 20, large_sets=1)
    assert first == second
    lines = list(table(first, "difference"))
    assert len(lines) == 3
    assert lines[2].startswith("| accuracy | 200 | 20 | 0 % | **")
    assert lines[2].count("**") == 2
    assert lines[2].count("| *") - lines[2].count("| **") == 1
