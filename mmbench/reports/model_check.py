"""What ``mmbench check model`` found, as JSON-able facts and for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from mmbench.reports.printable import printable
from mmbench.reports.terminal import Block, Heading, Paragraph
from mmbench.runner.model_check import Finding


def facts(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """One entry for each finding."""
    return [{"name": f.name, "expected": f.expected, "found": f.found, "ok": f.fine} for f in findings]


def card(model: str, suite: str, findings: Sequence[Finding], consents: Sequence[str]) -> Iterator[Block]:
    """A line for each finding; what is wrong with what was expected."""
    yield Heading(printable(f"{model} on {suite}"))
    for finding in findings:
        mark = "ok   " if finding.fine else "FAIL "
        expected = "" if finding.fine else f"; expected {finding.expected}"
        yield Paragraph(printable(f"{mark}{finding.name}: {finding.found}{expected}"), indent=2)
    yield from (Paragraph(printable(f"allowed: {text}"), indent=2, quiet=True) for text in consents)
