"""One metric of a gate in full: the data, the bounds, the rule, and what would change the outcome."""

from __future__ import annotations

from collections.abc import Iterator
from math import isfinite

from mmbench.core.errors import ExitCode
from mmbench.gate.decide import Finding, GateReport
from mmbench.gate.family import Status
from mmbench.reports.comparison import p_text
from mmbench.reports.numbers import NONE
from mmbench.reports.terminal import Block, Facts, Heading, Paragraph


def blocks(finding: Finding, report: GateReport) -> Iterator[Block]:
    """What is shown of one finding."""
    f = finding
    yield Heading(f"{f.metric}: {f.status.value.upper()} ({f.model} on {f.suite}, against the {f.against})")
    yield Facts(
        (
            ("base", _bound(f.base)),
            ("head", f"{_bound(f.head)} ({f.direction} is better)"),
            ("data", f"{f.n} samples in {f.groups} groups, {f.changed} changed{_seeds(f)}"),
            ("method", f"{f.method}, of the {f.estimand}"),
            ("harm", f"{f.harm:+.4f} (positive is worse)"),
            ("bounds", f"at least {_bound(f.lower)}, at most {_bound(f.upper)} (each one-sided)"),
            ("p", f"{p_text(f.p)} of a regression, Holm-corrected over {len(report.findings)} metrics"),
            ("rule", _rule(f)),
            ("exit code", f"{int(f.code(report.policy))} (inconclusive in context {report.context}: {report.policy})"),
        )
    )
    yield Paragraph(f"{f.says[:1].upper()}{f.says[1:]}.")
    yield Paragraph(_what_changes_it(f))
    if f.moved:
        yield Paragraph(f"Samples that hurt most: {', '.join(f'{s.id} ({s.contribution:+.4f})' for s in f.moved)}.")
        yield Paragraph("In brackets: the change if that sample alone took the rows of the head.", quiet=True)


def _seeds(finding: Finding) -> str:
    base, head = finding.seeds
    return f"; {base} training seeds against {head}" if max(base, head) > 1 else ""


def _rule(finding: Finding) -> str:
    if finding.margin is None:
        return f"{finding.role}, no margin: REGRESS where the lower bound is over 0"
    limit = f"{finding.margin:.4f}"
    return f"{finding.role}: PASS where the upper bound is under {limit}, REGRESS where the lower is over it"


def _what_changes_it(finding: Finding) -> str:
    f = finding
    if f.code("fail") is ExitCode.OK and f.waiver is not None:
        return f"The waiver ends on {f.waiver.until} ({f.waiver.reason})."
    if f.status is Status.REGRESS:
        return (
            f"A margin over {f.lower:.4f} would turn it to inconclusive, one over {_bound(f.upper)} to a pass; a "
            "waiver accepts the cost until a date."
        )
    if f.status is Status.INCONCLUSIVE:
        return f"A margin over {_bound(f.upper)}, or more groups of samples, would make it a pass."
    if f.status is Status.NOT_DETECTED:
        return f"A margin over {_bound(f.upper)} would make it a pass; a proven drop a regression."
    if f.status is Status.UNFIT:
        return "More groups of samples with defined scores would make it measurable."
    return "Only a change of the rows of samples can change it." if not f.changed else "A larger drop would."


def _bound(value: float) -> str:
    return f"{value:.4f}" if isfinite(value) else NONE
