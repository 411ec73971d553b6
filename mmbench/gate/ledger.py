"""The ledger against rerunning until green: alpha is shared among the looks at one change, and a verdict sticks.

An append-only file of JSON lines. A *look* is a measurement of one metric of one change against one base: the k-th
look spends the k-th share of alpha (a union bound, valid under any dependence of the looks). A PASS or REGRESS stands
for the later ones, and a REGRESS overrules a PASS. The same rows again are the same look. With the shares spent nothing
can be proven any more.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from mmbench.core.errors import LoadError, UsageError
from mmbench.core.key import digest_of
from mmbench.core.record import RunRecord
from mmbench.gate.decide import Finding
from mmbench.gate.family import Status, Subject

# What stands for later looks; a regression overrules a pass.
_SETTLING = (Status.REGRESS, Status.PASS)


@dataclass(frozen=True, slots=True)
class Look:
    """A line of the ledger: ``question`` digests base, change and metric, ``evidence`` the rows of both sides."""

    change: str
    metric: str
    question: str
    evidence: str
    status: str


def read(file: Path) -> list[Look]:
    """The looks so far, in order; none where the file is missing. Raises LoadError for a damaged line."""
    if not file.exists():
        return []
    found = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            found.append(Look(**json.loads(line)))
        except (ValueError, TypeError) as error:
            raise LoadError(f"Line {number} of the ledger {file} is damaged ({error}); restore it.") from error
    return found


def shared(family: Iterable[Subject], looks: Sequence[Look], change: str, shares: Sequence[float]) -> list[Subject]:
    """The family with the share of alpha of this look, and what an earlier look has settled."""
    return [_shared(subject, looks, change, shares) for subject in family]


def append(
    file: Path, looks: Sequence[Look], family: Sequence[Subject], findings: Sequence[Finding], change: str
) -> None:
    """Adds this look at each metric of the family, unless the same rows were looked at before."""
    known = {(look.question, look.evidence) for look in looks}
    new = [_look(subject, finding, change) for subject, finding in zip(family, findings, strict=True)]
    lines = [json.dumps(asdict(look)) + "\n" for look in new if (look.question, look.evidence) not in known]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a", encoding="utf-8") as stream:
            stream.write("".join(lines))
    except OSError as error:
        raise UsageError(f"The ledger {file} cannot be written ({error.strerror}); name another file.") from error


def _shared(subject: Subject, looks: Sequence[Look], change: str, shares: Sequence[float]) -> Subject:
    question, evidence = _question(subject, change), _evidence(subject)
    asked = [look for look in looks if look.question == question]
    seen = [look.evidence for look in asked]
    number = seen.index(evidence) if evidence in seen else len(asked)
    earlier = {look.status for look in asked[:number]}
    settled = next((status for status in _SETTLING if status.value in earlier), None)
    return replace(subject, share=shares[number] if number < len(shares) else 0.0, look=number + 1, settled=settled)


def _look(subject: Subject, finding: Finding, change: str) -> Look:
    return Look(change, subject.id, _question(subject, change), _evidence(subject), finding.status.value)


def _question(subject: Subject, change: str) -> str:
    runs = subject.runs
    return digest_of([change, _rows(runs.bases), runs.head.suite, runs.head.model.name, subject.against, subject.id])


def _evidence(subject: Subject) -> str:
    return digest_of([_rows(subject.runs.bases), _rows(subject.runs.heads)])


def _rows(records: Sequence[RunRecord]) -> str:
    return " ".join(record.rows.sha256 for record in records)
