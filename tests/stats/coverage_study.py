"""How often nominal intervals hold the truth, measured on made test sets (``coverage_scenarios``).

The truth of a score at n is its expected value on test sets of n samples, here the mean over all simulated sets: that
is the estimand which an estimate names. ``endless`` is the value of one very large set, which differs by the bias at n.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from coverage_scenarios import Random, Scenario, Side, SumsSide, bleu_of, mean_of, miou_of
from numpy.typing import NDArray

from mmbench.stats import intervals, proportions
from mmbench.stats.intervals import Interval
from mmbench.stats.jackknife import Jackknife, difference
from mmbench.stats.methods import Kind, choose_method
from mmbench.stats.resampling import draw_weights
from mmbench.stats.seeds import crossed_replicates, two_way

Floats = NDArray[np.float64]
LEVEL = 0.95


@dataclass(frozen=True)
class Coverage:
    """One cell: the share of ``simulations`` whose interval holds the truth, missing intervals counted as misses."""

    scenario: str
    n: int
    quantity: str
    method: str
    simulations: int
    covers: float
    endless: float
    width: float
    above: float
    """Share of intervals that lie wholly above the truth."""
    flagged: float = 0.0
    """Share of sets with a class in few samples."""

    @property
    def error(self) -> float:
        """Standard error of ``covers``."""
        return float(np.sqrt(self.covers * (1 - self.covers) / self.simulations))


# The interval that ``choose_method`` names for each set, whichever it is.
SHIPPED = "as shipped"


def coverage(scenario: Scenario, n: int, simulations: int, large_sets: int = 10) -> list[Coverage]:
    """Every method on every quantity of a scenario; the same seed for every run of a cell."""
    random = np.random.default_rng([zlib.crc32(scenario.name.encode()), n])
    found: dict[tuple[str, str], list[tuple[float, float]]] = {}
    values: dict[str, list[float]] = {}
    flagged = 0
    for _ in range(simulations):
        sides = scenario.draw(random, n)
        flagged += sides[0].few_instances
        for quantity, value, named in _measured(*sides, scenario.kind, scenario.draws, n):
            values.setdefault(quantity, []).append(value)
            for method, interval in named.items():
                found.setdefault((quantity, method), []).append(interval.bounds or (np.nan, np.nan))
    endless = _endless(scenario, large_sets)
    truths = {quantity: float(np.nanmean(drawn)) for quantity, drawn in values.items()}
    cells = [
        _cell(scenario.name, n, quantity, method, np.array(bounds), truths[quantity], endless[quantity])
        for (quantity, method), bounds in found.items()
    ]
    return [replace(cell, flagged=flagged / simulations) for cell in cells]


def _cell(name: str, n: int, quantity: str, method: str, bounds: Floats, truth: float, endless: float) -> Coverage:
    low, high = bounds.T
    return Coverage(
        scenario=name,
        n=n,
        quantity=quantity,
        method=method,
        simulations=len(bounds),
        covers=float(((low <= truth) & (truth <= high)).mean()),
        endless=float(((low <= endless) & (endless <= high)).mean()),
        width=float(np.nanmean(high - low)) if np.isfinite(high - low).any() else np.nan,
        above=float((low > truth).mean()),
    )


@lru_cache(maxsize=1)
def _endless(scenario: Scenario, sets: int) -> dict[str, float]:
    """The values of large test sets, where the bias of a score at n has gone."""
    random = np.random.default_rng(zlib.crc32(scenario.name.encode()))
    large = [[side.value() for side in scenario.draw(random, 40_000)] for _ in range(sets)]
    first, second = np.mean(large, axis=0)
    return {"difference": first - second, "score": first}


def _measured(
    first: Side, second: Side, kind: Kind, draws: int, n: int
) -> Iterator[tuple[str, float, dict[str, Interval]]]:
    weights = _weights(first.groups, draws)
    jackknives = [Jackknife(side.value(), side.left_out()) for side in (first, second)]
    replicates = [side.replicates(weights) for side in (first, second)]
    both = difference(*jackknives)
    paired = _intervals(both, replicates[0] - replicates[1], first.groups)
    single = _intervals(jackknives[0], replicates[0], first.groups)
    if kind == "proportion" and isinstance(first, SumsSide) and isinstance(second, SumsSide):
        paired["tango"] = _tango(first.table[:, 0], second.table[:, 0])
        right, pairs = int(first.table[:, 0].sum()), first.groups
        single["wilson"] = proportions.wilson_interval(right, pairs, LEVEL)
        single["clopper-pearson"] = proportions.clopper_pearson_interval(right, pairs, LEVEL)
    for quantity, value, named in (("difference", both.value, paired), ("score", jackknives[0].value, single)):
        method = choose_method(kind, quantity, samples=n, groups=first.groups, few_instances=first.few_instances)
        yield quantity, value, named | {SHIPPED: named[method.value.removeprefix("bootstrap-")]}


def _tango(first: Floats, second: Floats) -> Interval:
    return proportions.tango_interval(int((first > second).sum()), int((second > first).sum()), len(first), LEVEL)


@lru_cache(maxsize=2)
def _weights(groups: int, draws: int) -> Floats:
    """The same draws for every simulated set, which is independent of them."""
    return np.concatenate(list(draw_weights(groups, draws, 0)))


def _intervals(jackknife: Jackknife, replicates: Floats, groups: int) -> dict[str, Interval]:
    value = jackknife.value
    return {
        "jackknife-t": intervals.student_interval(value, jackknife.error, jackknife.groups - 1, LEVEL),
        "percentile": intervals.percentile_interval(replicates, LEVEL),
        "bca": intervals.bca_interval(value, replicates, jackknife.acceleration, LEVEL),
        "bias-corrected normal": intervals.bias_corrected_normal_interval(value, replicates, LEVEL),
    }


# --- training seeds crossed with samples ---

# The spread of the seeds' quality, as a share of what the samples of one test set give.
SPREADS = (0.5, 1.0, 2.0)


def seed_coverage(seeds: int, n: int, spread: float, simulations: int, draws: int = 400) -> list[Coverage]:
    """Differences of two models of K seeds each on the same n samples, and the score of the first."""
    random = np.random.default_rng([zlib.crc32(b"seeds"), seeds, n, round(100 * spread)])
    cells: dict[tuple[str, str, str], list[tuple[float, float, float]]] = {}
    for metric, of_sums in (("accuracy", mean_of), ("mIoU", miou_of), ("BLEU", bleu_of)):
        for _ in range(simulations):
            tables = _trained(random, metric, seeds, n, spread)
            sides = [[SumsSide(table, of_sums) for table in side] for side in tables]
            for quantity, method, value, interval in _seed_intervals(sides, draws):
                low, high = interval.bounds or (np.nan, np.nan)
                cells.setdefault((metric, quantity, method), []).append((value, low, high))
    return [_seed_cell(key, n, seeds, spread, np.array(found)) for key, found in cells.items()]


def _seed_cell(key: tuple[str, str, str], n: int, seeds: int, spread: float, found: Floats) -> Coverage:
    metric, quantity, method = key
    truth = float(found[:, 0].mean())
    return _cell(f"{metric}, K = {seeds}, seeds x {spread:g}", n, quantity, method, found[:, 1:], truth, truth)


def _seed_intervals(sides: list[list[SumsSide]], draws: int) -> Iterator[tuple[str, str, float, Interval]]:
    jackknives = [[Jackknife(seed.value(), seed.left_out()) for seed in side] for side in sides]
    weights = _weights(sides[0][0].groups, draws)
    replicates = [np.stack([seed.replicates(weights) for seed in side], axis=1) for side in sides]
    crossed = [crossed_replicates(side, 0, j) for j, side in enumerate(replicates)]
    fixed = [side.mean(axis=1) for side in replicates]
    for quantity, signs in (("difference", (1.0, -1.0)), ("score", (1.0,))):
        both = two_way(jackknives[: len(signs)], signs)
        drawn = sum(sign * side for sign, side in zip(signs, crossed, strict=False))
        samples = sum(sign * side for sign, side in zip(signs, fixed, strict=False))
        yield quantity, "two-way-t", both.value, intervals.student_interval(both.value, both.error, both.degrees, LEVEL)
        yield quantity, "crossed percentile", both.value, intervals.percentile_interval(drawn, LEVEL)
        yield quantity, "samples alone", both.value, intervals.percentile_interval(samples, LEVEL)


def _trained(random: Random, metric: str, seeds: int, n: int, spread: float) -> list[list[Floats]]:
    """Rows of each seed of both sides: quality = side + seed, on samples of shared difficulty."""
    difficulty = random.normal(0, 1, n)
    # One standard error of the mean of n samples, in units of quality.
    sd = spread * np.sqrt(1.2 / n)
    return [
        [_rows(random, metric, difficulty, quality + random.normal(0, sd)) for _ in range(seeds)]
        for quality in (0.58, 0.5)
    ]


def _rows(random: Random, metric: str, difficulty: Floats, quality: float) -> Floats:
    n = len(difficulty)
    latent = quality + difficulty + random.normal(0, 0.5, n)
    if metric == "accuracy":
        return np.stack([latent > 0, np.ones(n)], axis=1).astype(np.float64)
    rate = 1 / (1 + np.exp(-1.2 * latent))
    if metric == "mIoU":
        target = np.array([400.0, 200, 100, 50]) * np.array([1.0, 0.9, 0.8, 0.7])
        target = np.floor(target * (1 + 0.5 * np.abs(difficulty[:, None])))
        hits = np.floor(target * rate[:, None] ** np.array([0.5, 0.8, 1.0, 1.4]))
        wrong = (target - hits).sum(axis=1, keepdims=True) * np.array([0.4, 0.3, 0.2, 0.1])
        return np.concatenate([hits, hits + wrong, target], axis=1)
    totals = np.tile([10.0, 9, 8, 7], (n, 1))
    chances = rate[:, None] ** np.array([0.5, 1.0, 1.5, 2.0])
    matches = random.binomial(totals.astype(np.int64), chances)
    return np.concatenate([totals, matches, np.full((n, 1), 10.0), np.full((n, 1), 10.5)], axis=1)
