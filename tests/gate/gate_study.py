"""How often the shipped gate errs on made runs (``gate_scenarios``): its family, its decisions and its ledger.

Harm is base - head. A *false regress* is REGRESS where the true harm is at most the margin, a *false pass* PASS where
it is at least the margin.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
from coverage_scenarios import SumsSide
from gate_scenarios import MadePair, Random, Scenario, paired_runs

from mmbench.gate.decide import Finding, judge
from mmbench.gate.family import Status, Subject, subjects
from mmbench.gate.ledger import append, read, shared
from mmbench.gate.planning import planned_groups, plans
from mmbench.gate.spec import GateSpec, LedgerSpec, MetricRule

TODAY = date(2026, 1, 1)
# Test sets from which the true harm of a change is measured, where it is not known.
_TRUTH_SETS = 2000
# Samples of the run that a plan is made from.
_PILOT = 20_000


@dataclass(frozen=True)
class Rate:
    """``hits`` of ``runs``, and the probability that it may be."""

    hits: int
    runs: int

    @property
    def value(self) -> float:
        return self.hits / self.runs

    @property
    def error(self) -> float:
        """Standard error of the value."""
        return float(np.sqrt(self.value * (1 - self.value) / self.runs))

    def is_at_most(self, limit: float, errors: float = 2) -> bool:
        """Whether it is under the limit plus so many standard errors of a rate at the limit."""
        return self.value <= limit + errors * float(np.sqrt(limit * (1 - limit) / self.runs))

    def is_at_least(self, limit: float, errors: float = 2) -> bool:
        """Whether it is over the limit minus so many standard errors of a rate at the limit."""
        return self.value >= limit - errors * float(np.sqrt(limit * (1 - limit) / self.runs))


def findings(family: Sequence[Subject], spec: GateSpec) -> tuple[Finding, ...]:
    """As ``mmbench gate`` decides it."""
    return judge(family, spec, context="pr", today=TODAY).findings


def spec_of(margins: Sequence[float | None], **fields: object) -> GateSpec:
    """One rule a metric m0, m1, ...; None is a metric without a margin."""
    rules = tuple(MetricRule(select=f"m{number}", margin=margin) for number, margin in enumerate(margins))
    return GateSpec(metric=rules, **fields)


def decided(pairs: Sequence[MadePair], margins: Sequence[float | None]) -> tuple[Finding, ...]:
    """What is found of each metric of one pair of runs."""
    spec = spec_of(margins)
    return findings(subjects([paired_runs(pairs)], spec), spec)


def _random(*seed: int | str) -> Random:
    return np.random.default_rng([zlib.crc32(part.encode()) if isinstance(part, str) else part for part in seed])


@cache
def true_harm(scenario: Scenario, n: int) -> float:
    """The expected harm of a change on test sets of n samples."""
    if scenario.harm is not None:
        return scenario.harm
    random = _random(scenario.name, n, 7)
    return float(np.mean([scenario.draw(random, n, True).harm for _ in range(_TRUTH_SETS)]))


@dataclass(frozen=True)
class Single:
    """One metric on n samples: unchanged without a margin, and changed by the margin.

    ``pass_at_margin`` where any row differs; a head whose rows are all those of the base is ``identical`` and passes by
    rule.
    """

    scenario: str
    n: int
    false_regress: Rate
    regress_at_margin: Rate
    pass_at_margin: Rate
    identical: Rate


def single(scenario: Scenario, n: int, runs: int) -> Single:
    """The error rates of one metric."""
    judged = _Judged()
    margin = true_harm(scenario, n)
    unchanged, changed = (_found(scenario, n, runs, judged, *how) for how in ((False, None), (True, margin)))
    return Single(
        scenario.name,
        n,
        _rate_of(finding.status is Status.REGRESS for finding in unchanged),
        _rate_of(finding.status is Status.REGRESS for finding in changed),
        _rate_of(finding.status is Status.PASS and finding.changed > 0 for finding in changed),
        _rate_of(finding.changed == 0 for finding in changed),
    )


class _Judged:
    """What is found of a pair of shares depends on its counts alone, so that equal ones are judged once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, float | None], Finding] = {}

    def __call__(self, pair: MadePair, margin: float | None, *, is_share: bool) -> Finding:
        if not is_share or not isinstance(pair.base, SumsSide) or not isinstance(pair.head, SumsSide):
            return decided([pair], [margin])[0]
        change = pair.base.table[:, 0] - pair.head.table[:, 0]
        key = (int((change > 0).sum()), int((change < 0).sum()), margin)
        if key not in self._known:
            self._known[key] = decided([pair], [margin])[0]
        return self._known[key]


def _found(
    scenario: Scenario, n: int, runs: int, judged: _Judged, changed: bool, margin: float | None
) -> list[Finding]:
    random = _random(scenario.name, n, int(changed))
    pairs = (scenario.draw(random, n, changed) for _ in range(runs))
    return [judged(pair, margin, is_share=scenario.harm is not None and pair.size == 1) for pair in pairs]


@dataclass(frozen=True)
class Family:
    """``metrics`` on n samples, all unchanged (without and with margins), and all changed by their margins."""

    metrics: int
    n: int
    false_regress: Rate
    false_regress_with_margins: Rate
    regress_at_margin: Rate
    all_pass_at_margin: Rate


def family(scenarios: Sequence[Scenario], metrics: int, n: int, runs: int) -> Family:
    """Any false REGRESS over a family of independent metrics, the least favourable for Holm's correction."""
    members = [scenarios[number % len(scenarios)] for number in range(metrics)]
    margins = [true_harm(member, n) for member in members]

    def statuses(changed: bool, given: Sequence[float | None]) -> Iterator[list[Status]]:
        random = _random("family", metrics, n, int(changed))
        for _ in range(runs):
            made = decided([member.draw(random, n, changed) for member in members], given)
            yield [finding.status for finding in made]

    unchanged, tolerated, at_margin = (
        list(statuses(changed, given))
        for changed, given in ((False, [None] * metrics), (False, margins), (True, margins))
    )
    return Family(
        metrics,
        n,
        _rate_of(Status.REGRESS in found for found in unchanged),
        _rate_of(Status.REGRESS in found for found in tolerated),
        _rate_of(Status.REGRESS in found for found in at_margin),
        _rate_of(set(found) == {Status.PASS} for found in at_margin),
    )


def _rate_of(hits: Iterable[bool]) -> Rate:
    found = list(hits)
    return Rate(sum(found), len(found))


@dataclass(frozen=True)
class Power:
    """A change of two margins at the n that the plan asks for: one metric is harmed, the others are unchanged."""

    scenario: str
    metrics: int
    n: int
    regress: Rate
    others: Rate


def power(scenario: Scenario, metrics: int, runs: int) -> Power:
    """P(REGRESS) of the harmed metric, and of any other, at the planned n."""
    margin = true_harm(scenario, 2000) / 2
    n = planned(scenario, metrics, margin)
    random, hits, others = _random(scenario.name, metrics, 3), 0, 0
    for _ in range(runs):
        pairs = [scenario.draw(random, n, number == 0) for number in range(metrics)]
        found = [finding.status for finding in decided(pairs, [margin] * metrics)]
        hits += found[0] is Status.REGRESS
        others += Status.REGRESS in found[1:]
    return Power(scenario.name, metrics, n, Rate(hits, runs), Rate(others, runs))


def planned(scenario: Scenario, metrics: int, margin: float) -> int:
    """The samples that ``mmbench gate plan`` asks for, from the standard error of a large unchanged pair."""
    pair = scenario.draw(_random(scenario.name, 5), _PILOT, False)
    spec = spec_of([margin] * metrics)
    subject = subjects([paired_runs([pair])], spec_of([margin]))[0]
    alpha = min(spec.alpha_pass, spec.alpha_fail / metrics)
    (plan,) = plans([subject], spec.model_copy(update={"alpha_fail": spec.alpha_fail / metrics}))
    groups = planned_groups(plan.error, plan.groups, margin, alpha)
    return int(np.ceil(groups)) * pair.size


@dataclass(frozen=True)
class Attack:
    """Three measurements of one change whose harm is the margin: how often any of them passes."""

    scenario: str
    n: int
    passes: Rate
    without_ledger: Rate


def attack(scenario: Scenario, n: int, runs: int, folder: Path, looks: int = 3) -> Attack:
    """Reruns until green, through the ledger's file and without it; independent measurements, as suits the attacker."""
    margin = true_harm(scenario, n)
    file = folder / "looks.jsonl"
    spec = spec_of([margin], ledger=LedgerSpec(file=str(file)))
    random = _random(scenario.name, n, 9)
    passes, naive = 0, 0
    for run in range(runs):
        file.unlink(missing_ok=True)
        drawn = [scenario.draw(random, n, True) for _ in range(looks)]
        families = [subjects([paired_runs([pair], look)], spec) for look, pair in enumerate(drawn)]
        statuses = [_looked(family, spec, f"change {run}") for family in families]
        passes += Status.PASS in statuses
        naive += any(findings(family, spec)[0].status is Status.PASS for family in families)
    return Attack(scenario.name, n, Rate(passes, runs), Rate(naive, runs))


def _looked(family: Sequence[Subject], spec: GateSpec, change: str) -> Status:
    """One look as a session of ``mmbench gate`` takes it."""
    assert spec.ledger is not None
    file = Path(spec.ledger.file)
    looks = read(file)
    sharing = shared(family, looks, change, spec.shares)
    found = findings(sharing, spec)
    append(file, looks, sharing, found, change)
    return found[0].status
