"""Base against head, measured in turns until it is known which: sessions, looks, three outcomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from math import exp, inf
from statistics import fmean, median, stdev

import numpy as np

from mmbench.gate.family import Status
from mmbench.gate.sequential import LOOKS, Quantity, is_final, look
from mmbench.gate.spec import Policy, Role
from mmbench.gate.times import TimeFinding, TimeReport, finding, margin_on_log, memory_finding
from mmbench.perf.interleaved import Session
from mmbench.stats.decisions import Outcome, Verdict
from mmbench.stats.permutation import sign_flip_p

LATENCY, TAIL, MEMORY = "latency_ms", "latency_p90_ms", "peak_memory_mib"
TAIL_P = 0.9


@dataclass(frozen=True, slots=True)
class AbRules:
    """When to stop and what to tolerate; ``margin`` is relative. ``looks`` are numbers of sessions.

    What is ``gated`` must pass, and sessions go on until all of it is decided or some of it has regressed: a median
    hides a rare slow mode. What is not may only not regress.
    """

    margin: float = 0.05
    looks: tuple[int, ...] = LOOKS
    alpha_fail: float = 0.05
    alpha_pass: float = 0.05
    budget_s: float = inf
    gated: tuple[str, ...] = (LATENCY, TAIL)


@dataclass
class Comparison:
    """The sessions so far, and the verdict of each quantity once it is final."""

    rules: AbRules
    sessions: list[Session] = field(default_factory=list)
    settled: dict[str, Verdict] = field(default_factory=dict)
    latest: dict[str, Verdict] = field(default_factory=dict)

    def add(self, session: Session) -> None:
        """A finished session; at a look the quantities are decided."""
        self.sessions.append(session)
        if len(self.sessions) in self.rules.looks:
            self._look(self.rules.looks.index(len(self.sessions)))

    @property
    def is_decided(self) -> bool:
        """Whether all that is gated is known, a regression is found, or the looks are spent."""
        settled = [self.settled[name] for name in self.rules.gated if name in self.settled]
        regressed = any(verdict.outcome is Outcome.REGRESS for verdict in settled)
        known = len(settled) == len(self.rules.gated)
        return known or regressed or len(self.sessions) >= max(self.rules.looks)

    def quantities(self) -> list[Quantity]:
        """The differences by session."""
        margin = margin_on_log(self.rules.margin)
        return [
            Quantity(LATENCY, margin, tuple(session.difference for session in self.sessions)),
            Quantity(TAIL, margin, tuple(session.tail(TAIL_P) for session in self.sessions)),
        ]

    def _look(self, number: int) -> None:
        quantities = self.quantities()
        before = [self.settled.get(quantity.name) for quantity in quantities]
        alphas = {"alpha_fail": self.rules.alpha_fail, "alpha_pass": self.rules.alpha_pass}
        found = look(quantities, before, number=number, **alphas)
        for quantity, verdict in zip(quantities, found, strict=True):
            self.latest[quantity.name] = verdict
            if is_final(verdict):
                self.settled[quantity.name] = verdict


def compare(
    measure: Callable[[int], Session], rules: AbRules, now: Callable[[], float], tell: Callable[[str], None]
) -> Comparison:
    """Sessions until it is decided, or until the next one would overrun the budget."""
    comparison, start = Comparison(rules), now()
    while not comparison.is_decided:
        number = len(comparison.sessions)
        spent = now() - start
        if number and spent + spent / number > rules.budget_s:
            break
        session = measure(number)
        comparison.add(session)
        tell(f"session {number + 1}: {100 * (exp(session.difference) - 1):+.1f}%")
    return comparison


def report(comparison: Comparison, subject: str, policy: Policy) -> TimeReport:
    """What is known; without any look yet everything is inconclusive."""
    found = [_line(comparison, quantity, subject) for quantity in comparison.quantities()]
    found.append(_memory(comparison, subject))
    notes = [f"{len(comparison.sessions)} sessions; bounds are of one-sided tests that share alpha over the looks."]
    flips = [f"{line.metric} {line.sign_flip_p:.3g}" for line in found if line.sign_flip_p is not None]
    notes += [f"Sign-flip p of no difference: {', '.join(flips)}."] if flips else []
    if unsteady := sum(not session.steady for session in comparison.sessions):
        notes.append(f"{unsteady} sessions began before the state was steady.")
    return TimeReport(tuple(found), policy, tuple(notes))


def _line(comparison: Comparison, quantity: Quantity, subject: str) -> TimeFinding:
    sessions = comparison.sessions
    verdict = comparison.settled.get(quantity.name) or comparison.latest.get(quantity.name)
    if verdict is None:
        verdict = Verdict(Outcome.INCONCLUSIVE, fmean(quantity.differences), -inf, inf, 1.0, slip=False)
    at = TAIL_P if quantity.name == TAIL else 0.5
    sides = (_typical([s.base for s in sessions], at), _typical([s.head for s in sessions], at))
    line = finding(
        subject,
        quantity.name,
        _role(quantity.name, comparison.rules),
        verdict,
        margin=comparison.rules.margin,
        sides=sides,
        n=len(sessions),
    )
    differences = np.array(quantity.differences)
    p = sign_flip_p(differences) if len(differences) > 1 else None
    return replace(line, says=_says(comparison, quantity, line), sign_flip_p=p)


def _role(name: str, rules: AbRules) -> Role:
    return "gate" if name in rules.gated else "guard"


def _says(comparison: Comparison, quantity: Quantity, line: TimeFinding) -> str:
    if line.status is not Status.INCONCLUSIVE:
        return ""
    values = quantity.differences
    margin = margin_on_log(comparison.rules.margin) or 0.0
    gap = abs(margin - fmean(values))
    if len(values) < 2 or not gap:
        return "more sessions are needed"
    # (z_a + z_b) for 5 % and 80 %.
    needed = (2.49 * stdev(values) / gap) ** 2
    return f"about {needed:.0f} sessions would decide if the change is the measured one, {len(values)} were made"


def _memory(comparison: Comparison, subject: str) -> TimeFinding:
    base, head = (max(session.memory[side] for session in comparison.sessions) for side in (0, 1))
    return memory_finding(subject, MEMORY, "guard", base, head, len(comparison.sessions))


def _typical(sides: Sequence[tuple[tuple[float, ...], ...]], p: float) -> float:
    """Milliseconds: the median over sessions of the p-quantile of all calls."""
    return 1000 * median(float(np.quantile(np.concatenate(blocks), p)) for blocks in sides)
