"""The server scenario: an open loop of Poisson arrivals, latency from the scheduled arrival, the rate found by halving.

A closed loop hides overload, as a slow answer delays the next question (coordinated omission). Here the schedule is
fixed before the start and does not wait.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from mmbench.core.performance import Server
from mmbench.perf.clock import Clock
from mmbench.stats.quantiles import allowed_over, least_samples

Floats = NDArray[np.float64]
# Our own delay may take this share of the SLO before the client is the bottleneck.
MOST_DELAY = 0.05
# The SLO where the user states none: so many times the median request of one item.
SLO_FACTOR = 5.0
_HALVINGS = 4


@dataclass(frozen=True, slots=True)
class Trial:
    """One rate: seconds from scheduled arrival to answer, and of our own delay in issuing, [n] each."""

    rate: float
    latency: Floats
    delay: Floats
    seconds: float

    def passes(self, slo: float, p: float) -> bool:
        """Whether the p-quantile of latency is shown to lie under the SLO (``stats.quantiles.allowed_over``)."""
        return int((self.latency > slo).sum()) <= allowed_over(len(self.latency), p)

    def goodput(self, slo: float) -> float:
        """Answers within the SLO per second."""
        return float((self.latency <= slo).sum()) / self.seconds


def schedule(rate: float, queries: int, seed: int) -> Floats:
    """Arrival times of a Poisson process, seconds from the start; a seed gives the same pattern at every rate."""
    raw = np.random.Philox(key=seed).random_raw(queries)
    uniform = (raw >> np.uint64(11)).astype(np.float64) / 2.0**53
    found: Floats = np.cumsum(-np.log1p(-uniform)) / rate
    return found


def trial(call: Callable[[], object], clock: Clock, rate: float, queries: int, seed: int) -> Trial:
    """One server that answers in order. Our delay is what passes from when a query could start until it does."""
    arrivals = schedule(rate, queries, seed)
    clock.synchronise()
    start = free = clock.now()
    latency, delay = np.empty(queries), np.empty(queries)
    for index, offset in enumerate(arrivals):
        due = start + float(offset)
        clock.wait_until(due)
        begun = clock.now()
        delay[index] = begun - max(due, free)
        call()
        clock.synchronise()
        free = clock.now()
        latency[index] = free - due
    return Trial(rate, latency, delay, free - start)


def measure_server(
    call: Callable[[], object],
    clock: Clock,
    typical: float,
    *,
    slo: float | None = None,
    p: float = 0.9,
    queries: int | None = None,
    seed: int = 0,
    most: float = inf,
) -> Server:
    """Halves the interval of rates between 0 and 1 / ``typical`` (seconds of one request); ``slo`` in seconds.

    No rate is tried that would end after ``most`` seconds.
    """
    limit = SLO_FACTOR * typical if slo is None else slo
    queries = queries or 2 * least_samples(p)
    low, high = 0.0, 1 / typical
    best: Trial | None = None
    worst_delay, end, why = 0.0, clock.now() + most, "no rate that was tried passes"
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if clock.now() + queries / middle > end:
            why = f"{queries} requests at {middle:.3g}/s take longer than the {most:.0f} s that the budget leaves"
            break
        found = trial(call, clock, middle, queries, seed)
        worst_delay = max(worst_delay, float(np.quantile(found.delay, 0.99)))
        if worst_delay > MOST_DELAY * limit:
            reason = "our own delay in issuing requests is over 5 % of the SLO: the client is the bottleneck"
            return _server(limit, p, seed, queries, None, worst_delay, reason)
        if found.passes(limit, p):
            low, best = middle, found
        else:
            high = middle
    return _server(limit, p, seed, queries, best, worst_delay, "" if best else why)


def _server(slo: float, p: float, seed: int, queries: int, best: Trial | None, delay: float, reason: str) -> Server:
    return Server(
        slo_ms=1000 * slo,
        percentile=p,
        seed=seed,
        queries=queries,
        rate=None if best is None else best.rate,
        goodput=None if best is None else best.goodput(slo),
        issue_ms=1000 * delay,
        reason=reason,
    )
