"""Two files of pytest-benchmark at the gate: unpaired history, which may warn, and neither passes nor regresses.

Their rounds are of one process each, at different hours, so that a difference proves nothing about the code.
"""

from __future__ import annotations

from dataclasses import replace
from math import log, sqrt
from pathlib import Path

from mmbench.core.errors import NotComparable
from mmbench.gate.family import Status
from mmbench.gate.spec import GateSpec
from mmbench.gate.stored_times import MARGINS
from mmbench.gate.times import TimeReport, finding, margin_on_log
from mmbench.reports.pytest_benchmark import Times, read
from mmbench.stats.decisions import Outcome, StudentHarm, decide

_MARGIN = MARGINS["latency_ms"]
_NOTE = "History of another tool: one process a side, not measured in turns; it may warn and can never pass."


def is_history(base: str, head: str) -> bool:
    """Whether both sides are such files."""
    return all(text.endswith(".json") and Path(text).name != "record.json" for text in (base, head))


def gate_history(base: Path, head: Path, spec: GateSpec, context: str) -> TimeReport:
    """Every benchmark that both files hold; raises NotComparable where there is none, LoadError for another file."""
    policy = spec.policy(context)
    before, after = ({one.name: one for one in read(file)} for file in (base, head))
    shared = sorted(before.keys() & after.keys())
    if not shared:
        raise NotComparable(f"{base} and {head} share no benchmark; compare files of the same tests.")
    harms = [_harm(before[name], after[name]) for name in shared]
    verdicts = decide(harms, [margin_on_log(_MARGIN)] * len(harms))
    found = []
    for name, verdict in zip(shared, verdicts, strict=True):
        sides = (1000 * before[name].mean, 1000 * after[name].mean)
        rounds = min(before[name].rounds, after[name].rounds)
        line = finding(name, "mean_ms", "gate", verdict, margin=_MARGIN, sides=sides, n=rounds)
        quiet = verdict.outcome is Outcome.PASS
        status = Status.NOT_DETECTED if quiet else Status.INCONCLUSIVE
        found.append(replace(line, status=status, says="" if quiet else "measure it with mmbench gate ab"))
    return TimeReport(tuple(found), policy, (_NOTE,))


def _harm(base: Times, head: Times) -> StudentHarm:
    """Of the logs of the means, by the delta method."""
    relative = [one.stddev / one.mean / sqrt(max(one.rounds, 1)) for one in (base, head)]
    error = sqrt(sum(part**2 for part in relative))
    degrees = base.rounds + head.rounds - 2
    return StudentHarm(log(head.mean / base.mean), error, degrees, base.rounds + head.rounds)
