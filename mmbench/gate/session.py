"""A gate from the names of its sides to its report: loads, pairs, selects, decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from mmbench.gate import decide
from mmbench.gate.decide import GateReport, Subject
from mmbench.gate.sides import pair_sides, side
from mmbench.gate.spec import GateSpec


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """What is gated, before the decision."""

    spec: GateSpec
    family: tuple[Subject, ...]

    def report(self, context: str, today: date) -> GateReport:
        """Decides; raises UsageError for an unknown context, NothingMeasured when there is nothing to decide."""
        self.spec.policy(context)
        return decide.judge(self.family, self.spec, context=context, today=today)


def open_session(base: str, head: str, spec: GateSpec, results: Path) -> Session:
    """Base against head, and the anchor against head under the same rules.

    Raises what its parts raise: NothingMeasured, NotComparable, SampleError, LoadError, UsageError.
    """
    heads = side(head, results, "head")
    family = decide.subjects(pair_sides(side(base, results, "reference"), heads), spec)
    if spec.anchor is not None:
        older = decide.subjects(pair_sides(side(spec.anchor.ref, results, "anchor"), heads), spec)
        family += decide.anchored(older, spec.anchor.margin_factor)
    return Session(spec, tuple(family))
