"""Prints the coverage of nominal 95 % intervals as Markdown: python tests/stats/coverage_report.py [--scale 1.0].

Seeded: the same scale prints the same table. One thread is enough; the whole takes some fifteen minutes of one core.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from coverage_scenarios import SCENARIOS, Scenario
from coverage_study import SPREADS, Coverage, coverage, seed_coverage

from mmbench.stats.methods import Method, choose_method

# Simulated test sets by their size; fewer where one takes long. Claims are made from 200 on.
SIMULATIONS = {50: 2000, 200: 2000, 1000: 2000, 5000: 1000}
WEIGHTED_SIMULATIONS = {50: 2000, 200: 2000, 1000: 1000, 5000: 400}
SEEDS = (3, 5, 10)
SEED_SIMULATIONS = 1500


def main() -> None:
    """Runs the study and prints one table for each question."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the simulations to run")
    scale = parser.parse_args().scale
    cells = [
        cell for scenario in SCENARIOS for n in SIMULATIONS for cell in coverage(scenario, n, runs(scenario, n, scale))
    ]
    for quantity, title in (("difference", "Paired differences"), ("score", "Absolute scores")):
        print(f"\n### {title}\n")
        print("\n".join(table(cells, quantity)))
    print("\n### Training seeds crossed with samples (n = 300)\n")
    print("\n".join(seed_table(int(SEED_SIMULATIONS * scale))))


def runs(scenario: Scenario, n: int, scale: float) -> int:
    """Simulated test sets of a cell."""
    return int(scale * ((WEIGHTED_SIMULATIONS if scenario.kind == "weighted" else SIMULATIONS)[n]))


def table(cells: Iterable[Coverage], quantity: str) -> Iterator[str]:
    """Coverage of every method; the chosen one in bold, and in brackets that of the value of an endless test set."""
    rows: dict[tuple[str, int, int], dict[str, Coverage]] = {}
    for cell in cells:
        if cell.quantity == quantity:
            rows.setdefault((cell.scenario, cell.n, cell.simulations), {})[cell.method] = cell
    methods = list(dict.fromkeys(method for row in rows.values() for method in row))
    yield "| metric | n | sets | chosen | " + " | ".join(methods) + " |"
    yield "|---" * (len(methods) + 4) + "|"
    for (name, n, simulations), row in rows.items():
        best = chosen(name, quantity)
        shown = [_shown(row.get(method), method == best) for method in methods]
        yield f"| {name} | {n} | {simulations} | {best} | " + " | ".join(shown) + " |"


def chosen(name: str, quantity: str) -> str:
    """The name of the method that ``choose_method`` gives a scenario, as the study spells it."""
    (scenario,) = [scenario for scenario in SCENARIOS if scenario.name == name]
    method = choose_method(scenario.kind, quantity, groups=200, few_instances=not scenario.claim)
    return "percentile" if method is Method.PERCENTILE else method.value


def _shown(cell: Coverage | None, bold: bool) -> str:
    if cell is None:
        return ""
    text = f"{100 * cell.covers:.1f} ({100 * cell.endless:.1f})"
    return f"**{text}**" if bold else text


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
