"""Made pairs of runs for the simulation of the gate: rows of both sides, wrapped as a gate reads them.

A scenario draws a new test set with a base and a head on it. Unchanged, the head is as good as the base, with noise of
its own; changed, it is worse by the scenario's harm.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from coverage_scenarios import (
    Draw,
    Side,
    SumsSide,
    WeightedSide,
    captions,
    cider,
    classification,
    detection,
    mean_of,
    segmentation,
)
from numpy.typing import NDArray

from mmbench.core.key import ComparabilityKey, digest_of
from mmbench.core.metric import Metric, TaskContext
from mmbench.core.record import Cost, Counts, Execution, ModelRecord, RowsFile, RunRecord
from mmbench.core.table import Table
from mmbench.metrics.paired_rows import PairedRows
from mmbench.metrics.rows import Rows
from mmbench.reports.paired_runs import PairedRuns

Floats = NDArray[np.float64]
Random = np.random.Generator
CONTEXT = TaskContext((), None)


@dataclass(frozen=True)
class MadePair:
    """One metric on both sides: its samples' rows, or the metric of weights of a joint table; ``size`` of a group."""

    base: Side
    head: Side
    size: int = 1

    @property
    def harm(self) -> float:
        """Base - head."""
        return self.base.value() - self.head.value()


@dataclass(frozen=True)
class Scenario:
    """``draw(random, n, changed)`` gives a pair on n samples; a change does ``harm``, None where that is unknown."""

    name: str
    draw: Callable[[Random, int, bool], MadePair]
    harm: float | None = None


def bernoulli(discordance: float, cluster: int = 1) -> Scenario:
    """Right or wrong; a change makes three of four discordant samples losses, unchanged every second one is.

    Clustered, every second cluster of ``cluster`` samples holds all the discordant ones.
    """

    def draw(random: Random, n: int, changed: bool) -> MadePair:
        rate = np.full(n, discordance)
        if cluster > 1:
            rate = np.repeat(2 * discordance * (random.random(-(-n // cluster)) < 0.5), cluster)[:n]
        discordant = random.random(n) < rate
        lost = discordant & (random.random(n) < (0.75 if changed else 0.5))
        both = random.random(n) < 0.7
        base, head = (both & ~discordant) | lost, (both & ~discordant) | (discordant & ~lost)
        sides = [SumsSide(np.stack([side, np.ones(n)], axis=1).astype(np.float64), mean_of) for side in (base, head)]
        return MadePair(sides[0], sides[1], cluster)

    clusters = f", clusters of {cluster}" if cluster > 1 else ""
    return Scenario(f"right or wrong, {100 * discordance:g} % discordant{clusters}", draw, discordance / 2)


def of_quality(name: str, draw: Draw, worse: float) -> Scenario:
    """A scenario of the coverage study whose head is worse by ``worse`` on the scale of quality."""

    def pair(random: Random, n: int, changed: bool) -> MadePair:
        return MadePair(*draw(random, n, (worse * changed, 0.0)))

    return Scenario(name, pair)


_PREVALENCE = np.array([1.0, 0.9, 0.8, 0.6, 0.5, 0.4, 0.35, 0.3, 0.25, 0.2, 0.15])
BINARY = tuple(bernoulli(discordance) for discordance in (0.01, 0.08, 0.2))
CLUSTERED = tuple(bernoulli(discordance, 5) for discordance in (0.08, 0.2))
CORPUS = (
    of_quality("mIoU, 11 classes", segmentation(_PREVALENCE), 0.08),
    of_quality("macro-F1, 5 classes", classification(np.array([0.35, 0.25, 0.16, 0.12, 0.12])), 0.08),
    of_quality("BLEU", captions, 0.08),
    of_quality("CIDEr", cider, 0.15),
)
WEIGHTED = (of_quality("AP, 3 classes", detection(np.array([0.9, 0.6, 0.4])), 0.15),)


def paired_runs(pairs: Sequence[MadePair], look: int = 0) -> PairedRuns:
    """All pairs as metrics m0, m1, ... of one base and one head on the same samples; ``look`` numbers the head's rows.

    The metrics are those of the sides; both hold equally many samples in clusters of one size.
    """
    n, size = pairs[0].base.groups, pairs[0].size
    metrics = tuple(_metric(f"m{number}", pair) for number, pair in enumerate(pairs))
    base = _rows({metric.statistic: _table(pair.base) for metric, pair in zip(metrics, pairs, strict=True)}, n, size)
    head = _rows({metric.statistic: _table(pair.head) for metric, pair in zip(metrics, pairs, strict=True)}, n, size)
    records = [_record(name, n, metrics) for name in ("base", f"head, look {look}")]
    return PairedRuns((records[0],), (records[1],), metrics, (), PairedRows(base, head), CONTEXT)


def _metric(name: str, pair: MadePair) -> Metric:
    side = pair.base
    if isinstance(side, SumsSide):
        return Metric(name, 1, name, "made", lambda sums, _: side.of_sums(sums))
    return Metric(name, 1, name, "made", _of_either(pair), kind="weighted")


def _of_either(pair: MadePair) -> Callable[[Table, Floats, TaskContext], Floats]:
    """The value of weights; the table holds which side is asked for."""
    sides = [side for side in (pair.base, pair.head) if isinstance(side, WeightedSide)]
    return lambda table, weights, _: sides[0 if table[0, 0] == id(pair.base) else 1].of_weights(weights)


def _table(side: Side) -> Table:
    if isinstance(side, SumsSide):
        return side.table
    return np.stack([np.full(side.groups, id(side)), np.arange(side.groups)], axis=1).astype(np.int64)


def _rows(values: Mapping[str, Table], n: int, size: int) -> Rows:
    ids = tuple(f"{number:06}" for number in range(n))
    groups = tuple(f"{number // size:06}" for number in range(n))
    return Rows(ids, groups, ({},) * n, values)


def _record(name: str, n: int, metrics: Sequence[Metric]) -> RunRecord:
    model = {"name": "made", "locator": "made", "task": "made", "modalities": ("rgb",), "digest": name}
    key = {"suite": "made", "version": 1, "parameters": {}, "split": "test", "subset": "", "ids": "", "data": ""}
    versions = {metric.id: metric.version for metric in metrics}
    return RunRecord(
        id=name,
        suite="made@1",
        title="made",
        task="made",
        primary=metrics[0].id,
        classes=(),
        model=ModelRecord(**model),
        status="ok",
        counts=Counts(planned=n, scored=n, failed=0),
        estimates=(),
        rows=RowsFile(file="rows.npz", sha256=digest_of(name)),
        execution=Execution(batch_size=1, device="cpu", precision="fp32", threads=1),
        cost=Cost(ms_per_item=None, peak_rss_mib=0.0, seconds=0.0),
        key=ComparabilityKey(**key, condition="clean", inference={}, metrics=versions),
    )
