"""What a gate writes: a table, Markdown for a step summary, JSON, and its findings as cases of CI systems.

Names come from data and models: each writer escapes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from math import isfinite, isnan
from typing import Any

from mmbench.core.errors import ExitCode
from mmbench.gate.ci import Case
from mmbench.gate.decide import Finding, GateReport
from mmbench.gate.family import BASE, Status
from mmbench.reports.grid import Grid, Head, Line
from mmbench.reports.markdown import escape
from mmbench.reports.numbers import NONE, decimal
from mmbench.reports.terminal import Block, Heading, Paragraph

SCHEMA = 1
_ORDER = (Status.REGRESS, Status.UNFIT, Status.INCONCLUSIVE, Status.NOT_DETECTED, Status.PASS)
_WORDS = {ExitCode.REGRESSION: "REGRESS", ExitCode.INCONCLUSIVE: "INCONCLUSIVE", ExitCode.UNFIT: "UNFIT"}


def headline(report: GateReport) -> str:
    """``REGRESS: 1 regress, 2 pass (exit code 1)``."""
    counts = [(status, sum(f.status is status for f in report.findings)) for status in _ORDER]
    told = ", ".join(f"{count} {status.value}" for status, count in counts if count)
    waived = sum(f.waiver is not None for f in report.findings)
    more = f", {waived} waived" if waived else ""
    return f"{_word(report)}: {told}{more} (exit code {int(report.code)})"


def blocks(report: GateReport) -> Iterator[Block]:
    """What is shown on a terminal: the verdict first, then the findings, the worst first."""
    yield Heading(f"Gate: {headline(report)}")
    for place in dict.fromkeys((f.model, f.suite) for f in report.findings):
        chosen = [f for f in _sorted(report.findings) if (f.model, f.suite) == place]
        yield _grid(f"{place[0]} on {place[1]}", chosen)
    yield from map(Paragraph, sentences(report))
    for note in report.notes:
        yield Paragraph(note, quiet=True)


def sentences(report: GateReport) -> list[str]:
    """What there is to explain, a sentence for each finding, the worst first."""
    return [f"{_title(finding)}: {_told(finding)}" for finding in _sorted(report.findings) if _is_told(finding)]


def markdown(report: GateReport) -> str:
    """For a step summary or a comment: the verdict, what did not pass, and the rest folded."""
    open_rows = [f for f in _sorted(report.findings) if _is_open(f)]
    rest = [f for f in _sorted(report.findings) if not _is_open(f)]
    parts = [f"### mmbench gate: {escape(headline(report))}", *_markdown_table(open_rows)]
    if rest:
        table = "\n\n".join(_markdown_table(rest))
        parts.append(f"<details><summary>{len(rest)} more</summary>\n\n{table}\n\n</details>")
    parts += [f"- {escape(note)}" for note in report.notes]
    return "\n\n".join(parts) + "\n"


def cases(report: GateReport) -> list[Case]:
    """For JUnit and annotations, the worst first."""
    return [_case(finding, report.policy) for finding in _sorted(report.findings)]


def as_json(report: GateReport) -> dict[str, Any]:
    """The whole report as JSON-able data; what is undefined or infinite is null."""
    return {
        "schema": SCHEMA,
        "exit_code": int(report.code),
        "headline": headline(report),
        "context": report.context,
        "on_inconclusive": report.policy,
        "findings": [_finding_json(finding, report.policy) for finding in report.findings],
        "notes": list(report.notes),
    }


def _word(report: GateReport) -> str:
    """Inconclusive is not a pass, also where the policy lets it through."""
    if report.code is not ExitCode.OK:
        return _WORDS[report.code]
    gated = {f.status for f in report.findings if f.role == "gate" and f.waiver is None}
    if Status.INCONCLUSIVE in gated:
        return "INCONCLUSIVE"
    return "PASS" if gated <= {Status.PASS} else "NO REGRESSION FOUND"


def _sorted(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda f: (f.waiver is not None, _ORDER.index(f.status), f.role != "gate"))


def _is_open(finding: Finding) -> bool:
    """Whether somebody must look at it; a guard that is undefined on both sides guards nothing."""
    undefined = finding.role == "guard" and isnan(finding.base) and isnan(finding.head)
    return finding.status in (Status.REGRESS, Status.UNFIT, Status.INCONCLUSIVE) and not undefined


def _is_told(finding: Finding) -> bool:
    """What a terminal explains: also what a gate could not exclude, and what an earlier look has settled."""
    limits = finding.status is Status.NOT_DETECTED and finding.role == "gate"
    return _is_open(finding) or limits or finding.settled


def _title(finding: Finding) -> str:
    against = "" if finding.against == BASE else f", against the {finding.against}"
    return f"{_status(finding)} {finding.metric} ({finding.model} on {finding.suite}{against})"


def _status(finding: Finding) -> str:
    return f"{finding.status.value.upper()}{' (waived)' if finding.waiver else ''}"


def _told(finding: Finding) -> str:
    """The sentence with all that helps: values, slices, samples, the waiver."""
    parts = [f"{_score(finding.base)} -> {_score(finding.head)}, {finding.says}"]
    if finding.slices:
        parts.append("worst slices: " + ", ".join(f"{s.name} ({100 * s.harm:.2f}pt, n={s.n})" for s in finding.slices))
    if finding.moved:
        parts.append("samples: " + ", ".join(sample.id for sample in finding.moved))
    if finding.waiver:
        parts.append(f"waived until {finding.waiver.until}: {finding.waiver.reason}")
    return "; ".join(parts) + "."


def _cells(finding: Finding) -> tuple[str, ...]:
    return (
        _status(finding),
        finding.metric if finding.against == BASE else f"{finding.metric} ({finding.against})",
        finding.role,
        _score(finding.base),
        _score(finding.head),
        NONE if isnan(finding.harm) else f"{round(100 * finding.harm, 2) + 0.0:+.2f}",
        NONE if finding.margin is None else f"{100 * finding.margin:.2f}",
        f"{finding.changed}/{finding.n}",
    )


def _score(value: float) -> str:
    return NONE if isnan(value) else decimal(value, 4)


_HEADS = ("status", "metric", "role", "base", "head", "harm pt", "margin pt", "changed")
_TEXTS = 3


def _grid(caption: str, findings: Sequence[Finding]) -> Grid:
    heads = tuple(Head(text, right=index >= _TEXTS) for index, text in enumerate(_HEADS))
    return Grid(caption, heads, tuple(Line(_cells(finding)) for finding in findings))


def _markdown_table(findings: Sequence[Finding]) -> list[str]:
    if not findings:
        return []
    rows = [[*_cells(finding), finding.model, finding.suite, _told(finding)] for finding in findings]
    heads = [*_HEADS, "model", "suite", "why"]
    lines = ["| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads)]
    return ["\n".join([*lines, *("| " + " | ".join(escape(cell) for cell in row) + " |" for row in rows)])]


def _case(finding: Finding, policy: str) -> Case:
    keys = ("status", "role", "harm", "lower", "upper", "margin", "p", "n", "groups", "changed")
    code = finding.code(policy)
    return Case(
        title=_title(finding),
        name=finding.metric if finding.against == BASE else f"{finding.metric} ({finding.against})",
        classname=f"{finding.suite}.{finding.model}",
        told=_told(finding),
        is_open=_is_open(finding),
        code=code,
        severity="error" if code is not ExitCode.OK else "notice" if finding.waiver else "warning",
        properties={key: getattr(finding, key) for key in keys},
    )


def _finding_json(finding: Finding, policy: str) -> dict[str, Any]:
    content = asdict(finding) | {"waiver": finding.waiver and finding.waiver.model_dump(mode="json")}
    numbers = {k: v if isfinite(v) else None for k, v in content.items() if isinstance(v, float)}
    return content | numbers | {"says": finding.says, "exit_code": int(finding.code(policy))}
