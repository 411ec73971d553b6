"""Where a loss is: the slices and the samples that are named beside a finding; no decision depends on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mmbench.gate.decide import Finding, GateReport, SliceHarm
from mmbench.gate.family import Status, Subject
from mmbench.metrics.contributions import contributions
from mmbench.metrics.pairing import paired_scores
from mmbench.reports.comparison import MovedSample, largest

# Slices of a regression that are named beside it.
_SHOWN_SLICES = 3


def located(report: GateReport, family: Sequence[Subject]) -> GateReport:
    """The report with slices of each regression, and samples of each regression and each inconclusive finding."""
    findings = [_located(finding, subject) for finding, subject in zip(report.findings, family, strict=True)]
    return replace(report, findings=tuple(findings))


def _located(finding: Finding, subject: Subject) -> Finding:
    if finding.status is Status.REGRESS:
        return replace(finding, slices=tuple(_worst_slices(subject)), moved=tuple(_moved(subject)))
    return replace(finding, moved=tuple(_moved(subject))) if finding.status is Status.INCONCLUSIVE else finding


def _worst_slices(subject: Subject) -> list[SliceHarm]:
    """The slices with the largest harm, of a metric that is gated over all samples."""
    if subject.tag or subject.score.metric.per_class:
        return []
    sign = -1 if subject.score.metric.direction == "higher" else 1
    found = []
    for tag, value, part in subject.runs.rows.slices():
        (score,) = paired_scores(part, [subject.score.metric], subject.runs.context)
        if sign * score.change.value > 0:
            found.append(SliceHarm(f"{tag}={value}", sign * score.change.value, score.samples))
    return sorted(found, key=lambda one: -one.harm)[:_SHOWN_SLICES]


def _moved(subject: Subject) -> Iterator[MovedSample]:
    """The samples that hurt most."""
    if subject.tag:
        return
    found = contributions(subject.runs.rows, subject.score.metric, subject.runs.context)
    if found is not None:
        sign = -1.0 if subject.score.metric.direction == "higher" else 1.0
        yield from largest(subject.runs.rows, subject.score.metric.id, sign * (sign * found).clip(min=0))
