"""Prints docs/gate-simulation.md: python tests/gate/gate_report.py [--scale 1.0].

Seeded: the same scale prints the same page. One thread is enough; the whole takes some half an hour of one core.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "stats"))
sys.path.insert(0, str(Path(__file__).parent))

from gate_scenarios import BINARY, CLUSTERED, CORPUS, WEIGHTED
from gate_study import Rate, attack, family, power, single

INTRODUCTION = """# Error rates of the gate

How often the shipped gate errs on made runs, in percent with the standard error of the simulation; printed by
`make stats-report` (seeded). Every run goes through the family, the decisions and, in the last table, the ledger of
`mmbench gate`, at its defaults (alpha 0.05). A change is a head that is worse by a known harm on the same samples; an
unchanged head has noise of its own.

What must hold, up to two standard errors: a false REGRESS in at most 5 % over the whole family, a PASS at a harm of the
margin in at most 5 %, also by rerunning three times, and a REGRESS at a harm of two margins in at least 95 % at the n
that `mmbench gate plan` asks for. A cell in bold does not hold; with n = 50 nothing is claimed. A head none of whose
rows differ from the base passes by rule, whatever made it ("0 of n changed"): such runs are counted apart. Of a hundred
cells whose true rate is 5 %, two or three are bold by chance."""

# Runs of a cell.
RUNS = 2000
FAMILY_RUNS = {1: 2000, 10: 1000, 50: 500}
POWER_RUNS = {1: 1000, 10: 500, 50: 300}
MIXED = (*CORPUS, BINARY[2])


def main() -> None:
    """Runs the study and prints one table for each question."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the runs")
    scale = parser.parse_args().scale
    print(INTRODUCTION)
    for title, lines in (
        ("One metric", singles(scale)),
        ("Families of independent metrics, n = 200", families(scale)),
        ("A harm of two margins at the planned n", powers(scale)),
        ("Three measurements of one change whose harm is the margin", attacks(scale)),
    ):
        print(f"\n### {title}\n", flush=True)
        for line in lines:
            print(line, flush=True)


def singles(scale: float) -> Iterator[str]:
    """Rows of the first table."""
    yield "| metric | n | runs | unchanged, no margin: REGRESS | harm = margin: REGRESS | PASS | 0 of n changed |"
    yield "|---|---|---|---|---|---|---|"
    cells = [(scenario, n) for scenario in (*BINARY, *CLUSTERED) for n in (50, 200, 1000, 5000)]
    cells += [(scenario, n) for scenario in CORPUS for n in (50, 200, 1000)]
    cells += [(scenario, 200) for scenario in WEIGHTED]
    for scenario, n in cells:
        found = single(scenario, n, int(RUNS * scale))
        rates = (found.false_regress, found.regress_at_margin, found.pass_at_margin)
        shown = " | ".join(at_most(rate, claim=n > 50) for rate in rates)
        yield f"| {found.scenario} | {n} | {found.false_regress.runs} | {shown} | {text(found.identical)} |"


def families(scale: float) -> Iterator[str]:
    """Rows of the second table."""
    unchanged, changed = "unchanged, no margins: any REGRESS", "harms = margins: any REGRESS"
    yield f"| metrics | runs | {unchanged} | unchanged, margins: any REGRESS | {changed} | harms = margins: all PASS |"
    yield "|---|---|---|---|---|---|"
    for metrics, runs in FAMILY_RUNS.items():
        found = family(MIXED, metrics, 200, int(runs * scale))
        rates = (
            found.false_regress,
            found.false_regress_with_margins,
            found.regress_at_margin,
            found.all_pass_at_margin,
        )
        yield f"| {metrics} | {found.false_regress.runs} | {' | '.join(at_most(rate) for rate in rates)} |"


def powers(scale: float) -> Iterator[str]:
    """Rows of the third table."""
    yield "| harmed metric | metrics | planned n | runs | REGRESS of it | REGRESS of another |"
    yield "|---|---|---|---|---|---|"
    for scenario in (BINARY[2], CORPUS[0], CORPUS[3]):
        for metrics, runs in POWER_RUNS.items():
            found = power(scenario, metrics, int(runs * scale))
            shown = f"{at_least(found.regress)} | {at_most(found.others)}"
            yield f"| {found.scenario} | {metrics} | {found.n} | {found.regress.runs} | {shown} |"


def attacks(scale: float) -> Iterator[str]:
    """Rows of the last table."""
    yield "| metric | n | runs | any PASS, through the ledger | any PASS without one |"
    yield "|---|---|---|---|---|"
    with tempfile.TemporaryDirectory() as folder:
        for scenario in (BINARY[2], CORPUS[3]):
            found = attack(scenario, 1000, int(RUNS * scale), Path(folder))
            shown = f"{at_most(found.passes)} | {text(found.without_ledger)}"
            yield f"| {found.scenario} | {found.n} | {found.passes.runs} | {shown} |"


def at_most(rate: Rate, *, claim: bool = True) -> str:
    """In bold when it is over 5 %."""
    return text(rate) if not claim or rate.is_at_most(0.05) else f"**{text(rate)}**"


def at_least(rate: Rate) -> str:
    """In bold when it is under 95 %."""
    return text(rate) if rate.is_at_least(0.95) else f"**{text(rate)}**"


def text(rate: Rate) -> str:
    """Percent and its standard error."""
    return f"{100 * rate.value:.1f} ± {100 * rate.error:.1f}"


if __name__ == "__main__":
    main()
