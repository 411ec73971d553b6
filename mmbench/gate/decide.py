"""From paired runs to findings: which metrics are gated, what is known of each, and the exit code.

The arithmetic is ``stats.decisions``; here are roles, margins, waivers, the anchor and what is said of each metric.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from math import isfinite, isinf, isnan

from mmbench.core.errors import ExitCode, NothingMeasured, worst
from mmbench.gate.family import Status, Subject, fits, is_where
from mmbench.gate.spec import GateSpec, Role, Waiver
from mmbench.reports.comparison import MovedSample
from mmbench.stats.decisions import Outcome, SharedHarm, Verdict, decide
from mmbench.stats.power import groups_to_decide


@dataclass(frozen=True, slots=True)
class SliceHarm:
    """The harm in one slice, without a claim: where to look first."""

    name: str
    harm: float
    n: int


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of one metric. ``harm``, ``lower`` and ``upper`` are positive where the head is worse.

    ``lower`` is of the level at which Holm tested it, ``upper`` of 1 - alpha_pass; ``p`` is Holm's adjusted p of a
    regression. ``seeds``: training seeds of base and head. ``needed``: groups that would decide. ``slip``: a drop that
    is proven and tolerated. ``slices`` and ``moved`` say where to look (``gate.locating``); the decision has neither.
    """

    suite: str
    model: str
    against: str
    metric: str
    direction: str
    role: Role
    status: Status
    margin: float | None
    base: float
    head: float
    harm: float
    lower: float
    upper: float
    p: float
    n: int
    groups: int
    changed: int
    method: str
    estimand: str
    seeds: tuple[int, int] = (1, 1)
    needed: float | None = None
    look: int = 1
    settled: bool = False
    slip: bool = False
    waiver: Waiver | None = None
    slices: tuple[SliceHarm, ...] = ()
    moved: tuple[MovedSample, ...] = ()

    @property
    def says(self) -> str:
        """One sentence: the reason of the status."""
        return _sentence(self)

    def code(self, policy: str) -> ExitCode:
        """The exit code that this finding asks for, if an inconclusive one is to ``warn`` or to ``fail``."""
        if self.waiver is not None:
            return ExitCode.OK
        if self.status is Status.REGRESS:
            return ExitCode.REGRESSION
        if self.status is Status.UNFIT and (self.role == "gate" or isnan(self.base) != isnan(self.head)):
            return ExitCode.UNFIT
        fails = self.status is Status.INCONCLUSIVE and self.role == "gate" and policy == "fail"
        return ExitCode.INCONCLUSIVE if fails else ExitCode.OK


@dataclass(frozen=True, slots=True)
class GateReport:
    """All findings, what else there is to say, and the exit code."""

    findings: tuple[Finding, ...]
    notes: tuple[str, ...]
    context: str
    policy: str

    @property
    def code(self) -> ExitCode:
        """The worst of the findings'."""
        return worst(finding.code(self.policy) for finding in self.findings)


def judge(family: Sequence[Subject], spec: GateSpec, *, context: str, today: date) -> GateReport:
    """Decides the family; raises NothingMeasured if it is empty."""
    if not family:
        raise NothingMeasured("The gate matched no metric at all; a gate that measures nothing does not pass.")
    made = zip(family, _verdicts(family, spec), strict=True)
    findings = [_finding(subject, verdict, spec, len(family), today) for subject, verdict in made]
    return GateReport(tuple(findings), tuple(_notes(spec, findings, today)), context, spec.policy(context))


def _verdicts(family: Sequence[Subject], spec: GateSpec) -> list[Verdict]:
    """The verdict of each; a metric whose rows are all unchanged counts in the family with p = 1."""
    harms = [SharedHarm(subject.score.harm(), subject.share) for subject in family]
    margins = [subject.margin for subject in family]
    return decide(harms, margins, alpha_fail=spec.alpha_fail, alpha_pass=spec.alpha_pass)


def _finding(subject: Subject, verdict: Verdict, spec: GateSpec, family: int, today: date) -> Finding:
    score, runs = subject.score, subject.runs
    status = _status(subject, verdict)
    return Finding(
        suite=runs.head.suite,
        model=runs.head.model.name,
        against=subject.against,
        metric=subject.id,
        direction=score.metric.direction,
        role=subject.role,
        status=status,
        margin=subject.margin,
        base=score.base.value,
        head=score.head.value,
        harm=verdict.harm,
        lower=verdict.lower,
        upper=verdict.upper,
        p=verdict.p,
        n=score.samples,
        groups=score.groups,
        changed=score.changed,
        method=score.method.value,
        estimand=score.estimand,
        seeds=(len(runs.bases), len(runs.heads)),
        needed=_needed(subject, verdict, spec, family) if status is Status.INCONCLUSIVE else None,
        look=subject.look,
        settled=status is subject.settled and verdict.outcome.value != status.value,
        slip=verdict.slip,
        waiver=_waiver(subject, spec, today) if status in (Status.REGRESS, Status.INCONCLUSIVE) else None,
    )


def _status(subject: Subject, verdict: Verdict) -> Status:
    score = subject.score
    if isnan(score.base.value) or isnan(score.head.value) or score.groups < 2:
        return Status.UNFIT
    # A pass of an earlier look stands unless this one proves the contrary: both errors are within their alpha.
    if subject.settled is not None and verdict.outcome is not Outcome.REGRESS:
        return subject.settled
    if score.changed == 0:
        return Status.PASS
    if subject.share == 0:
        return Status.NOT_DETECTED if subject.margin is None else Status.INCONCLUSIVE
    if verdict.outcome in (Outcome.NOT_DETECTED, Outcome.INCONCLUSIVE) and not isfinite(verdict.upper):
        return Status.UNFIT
    return Status(verdict.outcome.value)


def _needed(subject: Subject, verdict: Verdict, spec: GateSpec, family: int) -> float | None:
    """Groups that would decide if the true harm is the measured one; None where that cannot be said, as of seeds."""
    if subject.score.seeds is not None:
        return None
    margin, error, groups = subject.margin, subject.score.error, subject.score.groups
    if margin is None or isnan(error) or error == 0:
        return None
    alpha = spec.alpha_pass if verdict.harm < margin else spec.alpha_fail / family
    return max(groups + 1, groups_to_decide(error, groups, verdict.harm, margin, alpha=alpha))


def _waiver(subject: Subject, spec: GateSpec, today: date) -> Waiver | None:
    for waiver in spec.waiver:
        if waiver.until >= today and fits(subject.id, waiver.metric) and is_where(subject.runs, waiver.where):
            return waiver
    return None


def _notes(spec: GateSpec, findings: Sequence[Finding], today: date) -> Iterator[str]:
    for waiver in spec.waiver:
        if waiver.until < today:
            yield f"The waiver of {waiver.metric} ended on {waiver.until}; remove it ({waiver.reason})."
        elif not any(fits(finding.metric, waiver.metric) for finding in findings):
            yield f"The waiver of {waiver.metric} fits no metric; correct or remove it."
    if not spec.metric:
        yield "No rules: each proven drop is a regression. Margins let a gate say PASS: mmbench gate plan."


def _sentence(finding: Finding) -> str:
    f = finding
    if f.settled:
        return f"{f.status.value} was found at an earlier look at this change and stands"
    if f.status is Status.UNFIT:
        return _why_unfit(f)
    if f.changed == 0:
        return f"0 of {f.n} samples changed"
    by, limit = _points(f.harm), "" if f.margin is None else f" (margin {_points(f.margin)})"
    if f.status is Status.REGRESS:
        return f"worse by {by}, at least {_points(f.lower)}{limit}"
    if f.status is Status.PASS:
        slip = "; a proven drop, tolerated" if f.slip else ""
        return f"at most {_points(f.upper)} worse{limit}{slip}"
    if f.status is Status.NOT_DETECTED:
        return f"no drop proven; up to {_points(f.upper)} worse cannot be excluded with {f.groups} groups"
    low = f"{_points(f.lower)} to " if isfinite(f.lower) else "up to "
    return f"worse by {low}{_points(f.upper)}{limit}; {_what_decides(f)}"


def _why_unfit(finding: Finding) -> str:
    if isnan(finding.base) or isnan(finding.head):
        sides = [name for name, value in ((finding.against, finding.base), ("head", finding.head)) if isnan(value)]
        return f"undefined on the {' and the '.join(sides)}"
    return f"{finding.groups} group(s) of samples are too few, or too special, to say anything"


def _what_decides(finding: Finding) -> str:
    if isinf(finding.upper):
        return f"look {finding.look} at this change: the looks are spent, nothing can be proven any more"
    if finding.needed is None:
        return f"more {'training seeds or ' if max(finding.seeds) > 1 else ''}groups of samples are needed"
    if isinf(finding.needed):
        return "the drop is the margin itself, no number of samples decides"
    return f"about {finding.needed:,.0f} groups would decide, {finding.groups:,} are there"


def _points(value: float) -> str:
    return f"{100 * value:.2f}pt"
