"""What a gate says of times, throughput and memory: ratios with bounds, three outcomes, exit codes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import exp, isfinite, log
from typing import Any

from mmbench.core.errors import ExitCode, worst
from mmbench.gate.ci import Case
from mmbench.gate.family import Status
from mmbench.gate.spec import Policy, Role
from mmbench.reports.grid import Grid, Head, Line
from mmbench.reports.latency import three
from mmbench.reports.markdown import escape
from mmbench.reports.numbers import NONE
from mmbench.reports.terminal import Block, Heading, Paragraph
from mmbench.stats.decisions import Verdict

SCHEMA = 1
# Peak memory may be worse by this share and these MiB.
MEMORY_SHARE, MEMORY_MIB = 0.01, 8.0
_ORDER = (Status.REGRESS, Status.UNFIT, Status.INCONCLUSIVE, Status.NOT_DETECTED, Status.PASS)


@dataclass(frozen=True, slots=True)
class TimeFinding:
    """One quantity. ``ratio`` over 1 is worse, whatever the direction, between its one-sided bounds.

    ``margin`` is relative: 0.05 for 5 %. ``n`` is the number of sessions, or of processes of the smaller side.
    ``sign_flip_p``: of "base and head take equally long" by flipping the signs of sessions, whose order was drawn; it
    is told and decides nothing. None where there are no sessions.
    """

    subject: str
    metric: str
    role: Role
    status: Status
    margin: float | None
    base: float
    head: float
    ratio: float
    lower: float
    upper: float
    p: float
    n: int
    says: str = ""
    sign_flip_p: float | None = None

    def code(self, policy: Policy) -> ExitCode:
        """The exit code that this finding asks for."""
        if self.status is Status.REGRESS:
            return ExitCode.REGRESSION
        if self.status is Status.UNFIT:
            return ExitCode.UNFIT
        fails = self.status is Status.INCONCLUSIVE and self.role == "gate" and policy == "fail"
        return ExitCode.INCONCLUSIVE if fails else ExitCode.OK


@dataclass(frozen=True, slots=True)
class TimeReport:
    """All findings and what else there is to say."""

    findings: tuple[TimeFinding, ...]
    policy: Policy
    notes: tuple[str, ...] = ()

    @property
    def code(self) -> ExitCode:
        """The worst of the findings'."""
        return worst(finding.code(self.policy) for finding in self.findings)


def margin_on_log(share: float | None) -> float | None:
    """ln(1 + share); None in detect mode."""
    return None if share is None else log(1 + share)


def finding(
    subject: str,
    metric: str,
    role: Role,
    verdict: Verdict,
    *,
    margin: float | None,
    sides: tuple[float, float],
    n: int,
) -> TimeFinding:
    """From a verdict on the log scale."""
    return TimeFinding(
        subject=subject,
        metric=metric,
        role=role,
        status=Status(verdict.outcome.value),
        margin=margin,
        base=sides[0],
        head=sides[1],
        ratio=exp(verdict.harm),
        lower=exp(verdict.lower),
        upper=exp(verdict.upper),
        p=verdict.p,
        n=n,
    )


def memory_finding(
    subject: str, metric: str, role: Role, base: float, head: float, n: int, share: float = MEMORY_SHARE
) -> TimeFinding:
    """Peaks in MiB, without statistics as they repeat almost exactly: worse by the share and 8 MiB is a regression."""
    worse = head - base > share * base + MEMORY_MIB
    ratio = head / base
    return TimeFinding(
        subject=subject,
        metric=metric,
        role=role,
        status=Status.REGRESS if worse else Status.PASS,
        margin=share + MEMORY_MIB / base,
        base=base,
        head=head,
        ratio=ratio,
        lower=ratio,
        upper=ratio,
        p=0.0 if worse else 1.0,
        n=n,
        says="the largest that was seen, without statistics" if worse else "",
    )


def headline(report: TimeReport) -> str:
    """``REGRESS: 1 regress, 2 pass (exit code 1)``."""
    counts = [(status, sum(f.status is status for f in report.findings)) for status in _ORDER]
    told = ", ".join(f"{count} {status.value}" for status, count in counts if count)
    return f"{_word(report)}: {told} (exit code {int(report.code)})"


def blocks(report: TimeReport) -> Iterator[Block]:
    """For a terminal: the verdict first, then the findings, the worst first."""
    yield Heading(f"Gate: {headline(report)}")
    for subject in dict.fromkeys(f.subject for f in report.findings):
        chosen = [f for f in report.findings if f.subject == subject]
        lines = [Line(_cells(f)) for f in sorted(chosen, key=lambda f: _ORDER.index(f.status))]
        heads = ("status", "metric", "base", "head", "ratio", "bounds", "margin", "n", "role")
        yield Grid(subject, tuple(Head(text, right=text in heads[2:8]) for text in heads), tuple(lines))
    yield from (Paragraph(f"{f.metric}: {f.says}") for f in report.findings if f.says)
    yield from (Paragraph(note, quiet=True) for note in report.notes)


def markdown(report: TimeReport) -> str:
    """For a step summary or a comment."""
    heads = ("status", "metric", "base", "head", "ratio", "bounds", "margin", "n", "role", "model")
    rows = [(*_cells(f), f.subject) for f in report.findings]
    lines = [f"### mmbench gate: {escape(headline(report))}", "", "| " + " | ".join(heads) + " |", "|" + " --- |" * 10]
    lines += ["| " + " | ".join(escape(cell) for cell in row) + " |" for row in rows]
    return "\n".join([*lines, "", *(f"- {escape(note)}" for note in report.notes)]) + "\n"


def cases(report: TimeReport) -> list[Case]:
    """For JUnit and annotations, the worst first."""
    return [_case(f, report.policy) for f in sorted(report.findings, key=lambda f: _ORDER.index(f.status))]


def as_json(report: TimeReport) -> dict[str, Any]:
    """JSON-able; what is infinite is null."""
    return {
        "schema": SCHEMA,
        "exit_code": int(report.code),
        "headline": headline(report),
        "on_inconclusive": report.policy,
        "findings": [_finding_json(f, report.policy) for f in report.findings],
        "notes": list(report.notes),
    }


def _word(report: TimeReport) -> str:
    gated = {f.status for f in report.findings if f.role == "gate"}
    for status, word in ((Status.REGRESS, "REGRESS"), (Status.UNFIT, "UNFIT"), (Status.INCONCLUSIVE, "INCONCLUSIVE")):
        if status in gated or (status is Status.REGRESS and any(f.status is status for f in report.findings)):
            return word
    return "PASS" if gated <= {Status.PASS} else "NO REGRESSION FOUND"


def _cells(f: TimeFinding) -> tuple[str, ...]:
    margin = NONE if f.margin is None else f"{100 * f.margin:.3g}%"
    ratio = f"{f.ratio:.3f}"
    return (f.status.value, f.metric, three(f.base), three(f.head), ratio, _bounds(f), margin, str(f.n), f.role)


def _case(f: TimeFinding, policy: Policy) -> Case:
    keys = ("status", "role", "ratio", "lower", "upper", "margin", "p", "sign_flip_p", "n")
    code = f.code(policy)
    ratio = f"{three(f.base)} -> {three(f.head)}, ratio {f.ratio:.3f}, bounds {_bounds(f)}"
    return Case(
        title=f"{f.status.value.upper()} {f.metric} ({f.subject})",
        name=f.metric,
        classname=f.subject,
        told=f"{ratio}; {f.says}." if f.says else f"{ratio}.",
        is_open=f.status is Status.REGRESS or (f.role == "gate" and f.status in (Status.UNFIT, Status.INCONCLUSIVE)),
        code=code,
        severity="warning" if code is ExitCode.OK else "error",
        properties={key: getattr(f, key) for key in keys},
    )


def _bounds(f: TimeFinding) -> str:
    low = f"{f.lower:.3f}" if f.lower > 0 else "0"
    return f"{low} to {f.upper:.3f}" if isfinite(f.upper) else f"{low} to inf"


def _finding_json(f: TimeFinding, policy: Policy) -> dict[str, Any]:
    content = asdict(f)
    numbers = {name: None for name, value in content.items() if isinstance(value, float) and not isfinite(value)}
    return content | numbers | {"exit_code": int(f.code(policy))}
