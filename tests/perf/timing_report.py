"""The acceptance of the timing, measured on this machine: ``make timing-report`` prints the tables.

    python tests/perf/timing_report.py [trials|stages|overhead|selftest ...] [--trials 60] [--baselines "seg/*"]

``trials``: interleaved comparisons of arithmetic with itself, with +10 % and with +25 %, under a margin of 5 %, and
what "mean over 5 %" and pytest-benchmark's compare-fail say of the same data. ``stages``: the parts of a request
against the whole, for every shipped baseline. ``overhead``: a block of calls of 1 ms against the bare calls.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections import Counter

import numpy as np

from mmbench import content
from mmbench.core.model import ModelOptions
from mmbench.gate.ab import AbRules, compare, report
from mmbench.gate.family import Status
from mmbench.perf import plan, processes
from mmbench.perf.interleaved import Contestant, Session, run_session
from mmbench.perf.plan import LatencyOptions
from mmbench.perf.protocol import BlockRule, WarmUpRule
from mmbench.perf.request import Details, Request, Rules, Subject
from mmbench.perf.selftest import check_timing, monitors

# Products of 64 x 64 matrices per call: about a millisecond.
PRODUCTS = 160
PAIRS = 4
MARGIN = 0.05
RULES = Rules(
    first_warm_up=WarmUpRule(least_s=0.03, window_s=0.01, window_calls=5, cap_s=0.15, tolerance=0.05),
    blocks=BlockRule(calls=8, seconds=0.2),
)
# The budget of one comparison, seconds: 180 of them must end within a quarter of an hour.
BUDGET_S = 20.0


def trial(more: float, number: int) -> tuple[str, list[Session], float]:
    """One comparison by the rules of ``gate ab``: the worst verdict of median and p90, its sessions, its seconds."""
    sides = (Contestant(Subject(burn=PRODUCTS)), Contestant(Subject(burn=round(PRODUCTS * (1 + more)))))
    start = time.monotonic()

    def measure(session: int) -> Session:
        return run_session(sides, RULES, threads=1, pairs=PAIRS, seed=number, session=session)

    found = compare(measure, AbRules(MARGIN, budget_s=BUDGET_S), time.monotonic, lambda _: None)
    statuses = {line.status for line in report(found, "", "warn").findings if line.role == "gate"}
    status = next(status for status in (Status.REGRESS, Status.INCONCLUSIVE, Status.PASS) if status in statuses)
    return status.value, found.sessions, time.monotonic() - start


def mean_rule(session: Session) -> bool:
    """ "Mean over 5 %" on one process a side, all calls of each."""
    base, head = (np.mean(np.concatenate(side)) for side in (session.base, session.head))
    return bool(head > (1 + MARGIN) * base)


def compare_fail(session: Session, stat: str) -> bool:
    """pytest-benchmark's --benchmark-compare-fail=STAT:5% with the blocks as rounds."""
    rounds = [[statistics.fmean(block) for block in side] for side in (session.base, session.head)]
    base, head = ({"min": min, "mean": statistics.fmean}[stat](side) for side in rounds)
    return bool(head > (1 + MARGIN) * base)


def trials(count: int) -> None:
    """The table of verdicts, with the one-shot rules on the first session of the same trials."""
    heads = "true change, trials, pass, regress, inconclusive, mean over 5%, compare-fail min:5%, mean:5%, sessions, s"
    print("| " + heads.replace(", ", " | ") + " |\n|" + " --- |" * 10)
    for more in (0.0, 0.10, 0.25):
        found = [trial(more, number) for number in range(count)]
        verdicts = Counter(verdict for verdict, _, _ in found)
        first = [sessions[0] for _, sessions, _ in found]
        rules = (mean_rule, lambda s: compare_fail(s, "min"), lambda s: compare_fail(s, "mean"))
        flags = [sum(rule(session) for session in first) for rule in rules]
        used = statistics.fmean(len(sessions) for _, sessions, _ in found)
        spent = statistics.fmean(seconds for _, _, seconds in found)
        told = [verdicts["pass"], verdicts["regress"], verdicts["inconclusive"], *flags]
        print(f"| {more:+.0%} | {count} | " + " | ".join(map(str, told)) + f" | {used:.1f} | {spent:.1f} |", flush=True)


def stages(baselines: str) -> None:
    """For every baseline that the pattern names: the stages, and their sum against the whole."""
    print("| baseline | whole ms | sum/whole | stages ms |\n| --- | --- | --- | --- |")
    for card in sorted(content.folder("baselines").glob(f"{baselines}/model.toml")):
        name = f"baseline:{card.parent.parent.name}/{card.parent.name}"
        request = plan.request(name, LatencyOptions(model=ModelOptions(device="cpu", threads=1), batches=(1,)))
        rules = request.rules.model_copy(update={"stages_s": 4.0, "queries": 8})
        asked = Request(**request.model_dump() | {"kind": "details", "rules": rules})
        (found,) = Details.model_validate(processes.ask(asked, 1)).stages
        parts = ", ".join(f"{part.name} {part.ms:.3g}" for part in found.parts)
        print(f"| {name} | {found.whole_ms:.3g} | {1 + found.error:.3f} | {parts} |", flush=True)


def main() -> None:
    """Prints what is asked for, or everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=["selftest", "overhead", "stages", "trials"])
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--baselines", default="*/*", metavar="SUITE/NAME")
    asked = parser.parse_args()
    for what in asked.what:
        print(f"\n## {what}\n")
        if what == "trials":
            trials(asked.trials)
        elif what == "stages":
            stages(asked.baselines)
        else:
            for check in [monitors()] if what == "overhead" else check_timing():
                print(f"{check.name}: {check.found} (expected {check.expected})")


if __name__ == "__main__":
    main()
