"""The lines that end a run: the primary metric with its interval and share of the fusion gain, and what went wrong."""

from __future__ import annotations

from collections.abc import Iterator

from mmbench.core.inference import protocol_of
from mmbench.core.record import Counts, RunRecord
from mmbench.reports.board import Span
from mmbench.reports.numbers import decimal, spanned
from mmbench.reports.printable import named, printable
from mmbench.reports.shares import shares


def summary(record: RunRecord) -> Iterator[str]:
    """One line with the result; then a line for failed samples and one for flags, as far as there are any."""
    measured = named(record.suite, record.condition, protocol_of(record.key.inference))
    yield printable(f"{measured}  {record.model.name}  {_score(record)}  {_samples(record.counts)}")
    if record.counts.failed:
        failed = f"{record.counts.failed} of {record.counts.planned} samples failed and were not scored"
        yield printable(f"  {failed}; the first: {record.failures[0].reason}")
    estimate = record.estimate(record.primary)
    if estimate is not None and estimate.flags:
        yield f"  Flags: {', '.join(estimate.flags)}."


def _samples(counts: Counts) -> str:
    named = counts.available is not None and counts.available != counts.planned
    return f"{counts.scored:,} of {counts.available:,} samples" if named else f"n={counts.scored}"


def _score(record: RunRecord) -> str:
    estimate = record.estimate(record.primary)
    if estimate is None or estimate.value is None:
        reason = estimate.reason if estimate is not None else "nothing was scored"
        return f"{record.primary} undefined ({reason})"
    bounds = next((b for b in record.bounds if (b.metric, b.tag) == (record.primary, "")), None)
    found = shares(estimate, bounds)
    text = f"{record.primary} {spanned(Span(estimate.value, estimate.low, estimate.high))}"
    if found.phi is not None:
        return f"{text}  phi {spanned(found.phi)}"
    return f"{text}  regret {decimal(found.regret.value)}" if found.regret is not None else text
