"""docs/scenes.md states the bounds that the generator gives, and scores that agree with them."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from types import SimpleNamespace

import pytest

from mmbench.runner.suites import SuiteChoice, open_suite

HERE = Path(__file__).parent
TABLE = SimpleNamespace(**runpy.run_path(str(HERE / "scenes_table.py")))
FILE = HERE.parents[1] / "docs" / "scenes.md"
DOCUMENT = FILE.read_text(encoding="utf-8") if FILE.is_file() else ""
ROWS = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in DOCUMENT.splitlines() if line[:1] == "|"]
pytestmark = pytest.mark.skipif(not DOCUMENT, reason="needs the checkout, in which docs is")
SCORE = re.compile(r"(\d\.\d{3}) \[(\d\.\d{3}), (\d\.\d{3})\]")


def test_every_suite_and_regime_has_its_line() -> None:
    expected = []
    for name in TABLE.SUITES:
        regime = open_suite(name, SuiteChoice()).spec.parameters.get("regime")
        lines = len(TABLE.bounds_of(open_suite(name, SuiteChoice({"tier": "smoke"}))))
        expected += [(name, value) for value in (regime.choices if regime else ("-",)) for _ in range(lines)]
    assert [row[:2] for row in ROWS[2:]] == expected
    assert ROWS[0] == (*TABLE.HEADS, *TABLE.LAST)
    assert DOCUMENT.startswith(TABLE.TEXT)


@pytest.mark.parametrize("row", ROWS[2:], ids=lambda row: "-".join(row[:3]))
def test_bounds_are_those_of_the_generator(row: tuple[str, ...]) -> None:
    """So that a change of a bound is seen: python tests/runner/scenes_table.py prints the new ones."""
    regime = {} if row[1] == "-" else {"regime": row[1]}
    suite = open_suite(row[0], SuiteChoice({"tier": TABLE.TIER, **regime}))
    (bounds,) = [b for b in TABLE.bounds_of(suite) if b.metric == row[2]]
    assert row[:7] == TABLE.bound_cells(suite, bounds)


@pytest.mark.parametrize("row", ROWS[2:], ids=lambda row: "-".join(row[:3]))
def test_the_measured_ceiling_is_the_bound(row: tuple[str, ...]) -> None:
    """oracle:joint within 3 standard errors of F*; segmentation is fitted, its bound the best in hindsight."""
    value, low, high = map(float, SCORE.fullmatch(row[7]).groups())
    slack = 0.01 if row[0] == "seg" else 0.001
    assert abs(value - float(row[6])) <= 3 * (high - low) / (2 * 1.96) + slack
