"""Prints docs/coverage.md: python tests/stats/coverage_report.py [--scale 1.0] [--only NAME ...].

Seeded: the same scale prints the same page. One thread is enough; the whole takes some half an hour of one core.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from coverage_scenarios import SCENARIOS, Scenario
from coverage_study import SHIPPED, SPREADS, Coverage, coverage, seed_coverage

from mmbench.stats.methods import choose_method

INTRODUCTION = """# Coverage of the intervals

How often nominal 95 % intervals hold the truth on made test sets, in percent, by the shipped metrics and the shipped
interval methods; printed by `make stats-report` (seeded). The truth is the expected score on test sets of n samples,
which is what an estimate names; in brackets the same for the value of an endless test set. "As shipped" is the method
that `mmbench.stats.methods.choose_method` names for each set, in most of them the one in italics; "flagged" the share
of sets with the flag `few-instances` (a class in under 20 samples). For VQA accuracy n counts questions, four to an
image on average; its groups are images, so that at n = 50 it is flagged `few-groups`. CIDEr is the mean over images
that it is under frozen document frequencies. The standard error of a cell is 0.5 for 2,000 sets, 0.7 for 1,000 and 1.1
for 400.

Claims are made for n of 200 and more without flags: paired differences 93 to 97 %, scores likewise, seeds crossed with
samples 92 to 98 %. Flagged rows and n = 50 stand without a claim. In the last table, of 1,500 sets a cell, the spread
of the seeds is in standard errors of one test set."""

# Simulated test sets by their size; fewer where one takes long. Claims are made from 200 on.
SIMULATIONS = {50: 2000, 200: 2000, 1000: 2000, 5000: 1000}
WEIGHTED_SIMULATIONS = {50: 2000, 200: 2000, 1000: 1000, 5000: 400}
SEEDS = (3, 5, 10)
SEED_SIMULATIONS = 1500


def main() -> None:
    """Runs the study and prints one table for each question."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the simulations to run")
    parser.add_argument("--only", nargs="*", help="scenarios to run, all and the seeds by default")
    options = parser.parse_args()
    scenarios = [scenario for scenario in SCENARIOS if not options.only or scenario.name in options.only]
    cells = [
        cell
        for scenario in scenarios
        for n in SIMULATIONS
        for cell in coverage(scenario, n, runs(scenario, n, options.scale))
    ]
    print(INTRODUCTION)
    for quantity, title in (("difference", "Paired differences"), ("score", "Absolute scores")):
        print(f"\n### {title}\n")
        print("\n".join(table(cells, quantity)))
    if not options.only:
        print("\n### Training seeds crossed with samples (n = 300)\n")
        print("\n".join(seed_table(int(SEED_SIMULATIONS * options.scale))))


def runs(scenario: Scenario, n: int, scale: float) -> int:
    """Simulated test sets of a cell."""
    return int(scale * ((WEIGHTED_SIMULATIONS if scenario.kind == "weighted" else SIMULATIONS)[n]))


def table(cells: Iterable[Coverage], quantity: str) -> Iterator[str]:
    """Coverage of every method, in brackets that of the value of an endless test set."""
    rows: dict[tuple[str, int], dict[str, Coverage]] = {}
    for cell in cells:
        if cell.quantity == quantity:
            rows.setdefault((cell.scenario, cell.n), {})[cell.method] = cell
    methods = [SHIPPED, *dict.fromkeys(method for row in rows.values() for method in row if method != SHIPPED)]
    yield "| metric | n | sets | flagged | " + " | ".join(methods) + " |"
    yield "|---" * (len(methods) + 4) + "|"
    for (name, n), row in rows.items():
        shipped = row[SHIPPED]
        shown = [_shown(row.get(method), _mark(shipped, method)) for method in methods]
        yield f"| {name} | {n} | {shipped.simulations} | {100 * shipped.flagged:.0f} % | " + " | ".join(shown) + " |"


def chosen(cell: Coverage) -> str:
    """The method that ``choose_method`` gives most sets of a cell, as the study spells it."""
    (scenario,) = [scenario for scenario in SCENARIOS if scenario.name == cell.scenario]
    few = cell.flagged > 0.5
    method = choose_method(scenario.kind, cell.quantity, samples=cell.n, groups=cell.n, few_instances=few)
    return method.value.removeprefix("bootstrap-")


def _mark(shipped: Coverage, method: str) -> str:
    if method == SHIPPED:
        return "**"
    return "*" if method == chosen(shipped) else ""


def _shown(cell: Coverage | None, mark: str) -> str:
    if cell is None:
        return ""
    return f"{mark}{100 * cell.covers:.1f} ({100 * cell.endless:.1f}){mark}"


def seed_table(simulations: int) -> Iterator[str]:
    """Coverage by number of seeds and by their spread in standard errors of a test set."""
    yield "| quantity | metric, seeds, spread | two-way-t | crossed percentile | samples alone |"
    yield "|---|---|---|---|---|"
    for seeds in SEEDS:
        for spread in SPREADS:
            rows: dict[tuple[str, str], list[str]] = {}
            for cell in seed_coverage(seeds, 300, spread, simulations):
                rows.setdefault((cell.quantity, cell.scenario), []).append(f"{100 * cell.covers:.1f}")
            for (quantity, name), shown in rows.items():
                yield f"| {quantity} | {name} | " + " | ".join(shown) + " |"


if __name__ == "__main__":
    main()
