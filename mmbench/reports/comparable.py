"""Which runs may stand in one table: equal keys only, the newest run of each model, refusals with their reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from mmbench.core.key import digest_of
from mmbench.core.record import RunRecord
from mmbench.reports.board import Refusal


def families(records: Iterable[RunRecord]) -> list[list[RunRecord]]:
    """Runs by what was asked for (suite, parameters, subset, condition), each family newest first."""
    once = {record.id: record for record in records}
    ordered = sorted(once.values(), key=lambda record: record.id, reverse=True)
    ordered.sort(key=_asked)
    return [list(group) for _, group in groupby(ordered, key=_asked)]


def tables(family: Sequence[RunRecord]) -> list[list[RunRecord]]:
    """The runs of a family by what the key says of the data and the inference, the largest table first."""
    found: dict[str, list[RunRecord]] = {}
    for record in family:
        found.setdefault(_measured_on(record), []).append(record)
    return sorted(found.values(), key=len, reverse=True)


def newest(records: Sequence[RunRecord]) -> list[tuple[RunRecord, int]]:
    """The newest run of each model (weights, preprocessing, execution), and how many older ones it replaces.

    ``records`` are newest first: a run's id begins with its time.
    """
    found: dict[str, list[RunRecord]] = {}
    for record in records:
        found.setdefault(_identity(record), []).append(record)
    return [(runs[0], len(runs) - 1) for runs in found.values()]


def refusals(apart: Sequence[Sequence[RunRecord]]) -> list[Refusal]:
    """Why the tables of one family are apart, and why a metric has several columns in one table."""
    first, *others = (records[0] for records in apart)
    found = [_refusal(first, other, first.primary) for other in others]
    return found + [refusal for records in apart for refusal in _unequal_versions(records)]


def _unequal_versions(records: Sequence[RunRecord]) -> Iterable[Refusal]:
    for metric in sorted({metric for record in records for metric in record.key.metrics}):
        holders = {r.key.metrics[metric]: r for r in reversed(records) if metric in r.key.metrics}
        first, *others = (holders[version] for version in sorted(holders, reverse=True))
        yield from (_refusal(first, other, metric) for other in others)


def _refusal(first: RunRecord, other: RunRecord, metric: str) -> Refusal:
    return Refusal(metric, first.id, other.id, tuple(first.key.differences(other.key, metric)))


def _asked(record: RunRecord) -> tuple[str, str, str, str]:
    key = record.key
    parameters = ",".join(f"{name}={value}" for name, value in sorted(key.parameters.items()))
    return key.suite, parameters, key.subset, key.condition


def _measured_on(record: RunRecord) -> str:
    return digest_of(record.key.model_dump(mode="json", exclude={"metrics"}))


def _identity(record: RunRecord) -> str:
    model = record.model
    settings = record.execution.model_dump(mode="json", exclude={"sub_batch"})  # an event, not a setting
    parts: list[Any] = [model.digest, model.preprocessing, settings]
    return digest_of(parts if model.digest else [*parts, model.name, model.locator])
