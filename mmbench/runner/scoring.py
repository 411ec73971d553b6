"""From the journal to the record: a pure function of what was journalled, the suite, and the source's bounds."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmbench.core.bounds import Bounds
from mmbench.core.key import CLEAN, ComparabilityKey, digest_of
from mmbench.core.metric import metric_named
from mmbench.core.model import ModelInfo
from mmbench.core.record import Cost, Counts, Estimate, ModelRecord
from mmbench.core.source import Source, TargetedSource
from mmbench.core.suite import SuiteReference, SuiteSpec
from mmbench.metrics.rows import Rows
from mmbench.metrics.scoring import estimates, needed_statistics, tables_of
from mmbench.runner.journal import Journal
from mmbench.runner.memory import peak_device_mib, peak_rss_mib
from mmbench.runner.suites import OpenedSuite


@dataclass(frozen=True, slots=True)
class Scores:
    """What the journal comes to: rows in the order of the plan, digests of the samples' clean content, estimates."""

    rows: Rows
    digests: tuple[str, ...]
    estimates: tuple[Estimate, ...]
    bounds: tuple[Bounds, ...]


def score(journal: Journal, suite: OpenedSuite, widths: Sequence[tuple[str, int]], draws: int) -> Scores:
    """Rows, estimates and bounds of the samples that were scored; ``widths`` are the row statistics and their k."""
    rows, digests = journalled_rows(journal, widths)
    if not rows.ids:
        return Scores(rows, digests, (), ())
    rows = _with_later(rows, journal, suite)
    found = estimates(rows, suite.spec.metrics, suite.context, draws=draws)
    return Scores(rows, digests, tuple(found), suite.bounds(rows.ids))


def _with_later(rows: Rows, journal: Journal, suite: OpenedSuite) -> Rows:
    """The rows and those of the statistics that need all samples at once."""
    later = [name for name in needed_statistics(suite.spec.metrics) if name not in rows.values]
    if not later:
        return rows
    targets = [_target(suite.source, sample_id) for sample_id in rows.ids]
    found = tables_of(targets, list(journal.predictions()), later, suite.context)
    return dataclasses.replace(rows, values={**rows.values, **found})


def _target(source: Source, sample_id: str) -> Any:
    if isinstance(source, TargetedSource):
        return source.without_inputs(sample_id).target
    return source.load(sample_id).target


def journalled_rows(journal: Journal, widths: Sequence[tuple[str, int]]) -> tuple[Rows, tuple[str, ...]]:
    """The rows of the scored samples, and the digests of their content."""
    ids, groups, tags, digests, vectors = [], [], [], [], []
    for entry in journal.entries():
        ids.append(entry.id)
        groups.append(entry.group)
        tags.append(entry.tags)
        digests.append(entry.digest)
        vectors.append(entry.statistics)
    total = sum(width for _, width in widths)
    table = np.array(vectors, dtype=np.int64).reshape(len(ids), total)
    ends = np.cumsum([width for _, width in widths])
    values = {name: table[:, end - width : end] for (name, width), end in zip(widths, ends, strict=True)}
    return Rows(tuple(ids), tuple(groups), tuple(tags), values), tuple(digests)


def comparability_key(
    spec: SuiteSpec, reference: SuiteReference, rows: Rows, digests: Sequence[str], condition: str = CLEAN
) -> ComparabilityKey:
    """The key of a run that scored the samples of ``rows``, whose contents have these digests before the condition.

    Groups and tags count as data: they are the units of the intervals and what the slices hold.
    """
    data = zip(rows.ids, digests, rows.groups, (sorted(tags.items()) for tags in rows.tags), strict=True)
    return ComparabilityKey(
        suite=spec.name,
        version=spec.version,
        parameters=dict(reference.parameters),
        split=spec.split,
        subset=f"n={reference.limit},seed={reference.seed}" if reference.limit is not None else "",
        ids=digest_of(sorted(rows.ids)),
        data=digest_of(sorted(data)),
        condition=condition,
        inference=spec.inference.identity(),
        metrics={name: metric_named(name).version for name in spec.metrics},
    )


def model_record(info: ModelInfo) -> ModelRecord:
    """What the record says of the model."""
    return ModelRecord(
        name=info.name,
        locator=info.locator,
        task=info.task,
        modalities=info.modalities,
        digest=info.digest,
        parameters=info.parameters,
        accepts_missing=info.accepts_missing,
        preprocessing=dict(info.preprocessing),
        training=dict(info.training),
        consents=info.consents,
    )


def counts(planned: int, journal_failures: int) -> Counts:
    """How many samples were planned, scored and failed."""
    return Counts(planned=planned, scored=planned - journal_failures, failed=journal_failures)


def cost(journal: Journal, device: str = "cpu") -> Cost:
    """Milliseconds per item in the model (median over batches), seconds over all sessions, and the peaks so far.

    To be read after the loop and before the scoring, whose memory is not the model's (``runner.memory.reset_peak``).
    """
    timings = journal.timings()
    per_item = [1000 * timing.predict_seconds / timing.items for timing in timings if timing.items]
    return Cost(
        ms_per_item=statistics.median(per_item) if per_item else None,
        peak_rss_mib=peak_rss_mib(),
        peak_device_mib=peak_device_mib(device),
        seconds=sum(timing.seconds for timing in timings),
    )
