"""A gate from the names of its sides to its report: loads, pairs, selects, decides, remembers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mmbench.core.errors import UsageError
from mmbench.gate import decide, ledger
from mmbench.gate.decide import GateReport
from mmbench.gate.family import Subject, anchored, subjects
from mmbench.gate.ledger import Look
from mmbench.gate.locating import located
from mmbench.gate.sides import pair_sides, side
from mmbench.gate.spec import GateSpec
from mmbench.store import StoredRun


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """What is gated, before the decision; ``looks`` at changes so far, and which ``change`` this is."""

    spec: GateSpec
    family: tuple[Subject, ...]
    looks: tuple[Look, ...] = ()
    change: str = ""

    def report(self, context: str, today: date) -> GateReport:
        """Decides, and names where the losses are.

        Raises UsageError for an unknown context, NothingMeasured when there is nothing to decide.
        """
        self.spec.policy(context)
        return located(decide.judge(self.family, self.spec, context=context, today=today), self.family)

    def remember(self, report: GateReport) -> None:
        """Writes this look into the ledger, where the gate has one."""
        if self.spec.ledger is not None:
            ledger.append(Path(self.spec.ledger.file), self.looks, self.family, report.findings, self.change)


def open_session(base: str, head: str, spec: GateSpec, results: Path, change: str = "") -> Session:
    """Base against head, and the anchor against head under the same rules; ``change`` names the head for the ledger.

    Raises what its parts raise: NothingMeasured, NotComparable, SampleError, LoadError, UsageError.
    """
    anchors = side(spec.anchor.ref, results, "anchor") if spec.anchor is not None else []
    return session_of(side(base, results, "reference"), side(head, results, "head"), anchors, spec, change)


def session_of(
    bases: list[StoredRun], heads: list[StoredRun], anchors: list[StoredRun], spec: GateSpec, change: str = ""
) -> Session:
    """As ``open_session``, of runs that were found already; ``anchors`` are read where the gate has an anchor."""
    family = subjects(pair_sides(bases, heads), spec)
    if spec.anchor is not None:
        family += anchored(subjects(pair_sides(anchors, heads), spec), spec.anchor.margin_factor)
    if spec.ledger is None:
        return Session(spec, tuple(family))
    if not change:
        raise UsageError("A gate with a ledger must know the change that it looks at; name it with --change COMMIT.")
    looks = ledger.read(Path(spec.ledger.file))
    return Session(spec, tuple(ledger.shared(family, looks, change, spec.shares)), tuple(looks), change)
