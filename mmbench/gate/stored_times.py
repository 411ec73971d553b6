"""Base against head of stored latency runs: refused unless the machine and everything else of the key is the same.

The processes of both sides are independent (Welch's t on log times), and they were measured at different hours: what
the machine did meanwhile is in the difference. ``mmbench gate ab`` is free of that.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from statistics import fmean, variance

from mmbench.core.errors import NotComparable, NothingMeasured, UsageError
from mmbench.core.performance import LATENCY
from mmbench.core.record import RunRecord
from mmbench.gate.family import Status, fits
from mmbench.gate.spec import GateSpec, MetricRule, RelativeMargin, Role
from mmbench.gate.times import MEMORY_SHARE, TimeFinding, TimeReport, finding, margin_on_log, memory_finding
from mmbench.metrics.rows import Rows
from mmbench.perf.estimating import BATCH, PERCENTILES, PRIMARY, QUANTITY, process_tails, process_values
from mmbench.stats.decisions import Harm, StudentHarm, decide
from mmbench.store import StoredRun, load_rows

# Margins where the gate's file states none: relative, by metric.
MARGINS = {"latency_ms": 0.05, "request_ms": 0.05, "throughput": 0.05, "request_p90_ms": 0.05}
_TAIL, _MEMORY = "request_p90_ms", "peak_memory_mib"
_NOTE = "Stored times hold what the machine did at either hour; mmbench gate ab measures both sides in turns."


@dataclass(frozen=True, slots=True)
class Times:
    """One quantity at one batch size on both sides, log seconds by process."""

    name: str
    base: tuple[float, ...]
    head: tuple[float, ...]
    sides: tuple[float, float]
    role: Role
    margin: float | None

    @property
    def harm(self) -> Harm:
        """Welch's: positive where the head takes longer."""
        return welch(self.base, self.head)


def is_latency(runs: Sequence[StoredRun]) -> bool:
    """Whether all runs hold times; raises NotComparable when some do."""
    kinds = {run.record.task == LATENCY for run in runs}
    if len(kinds) > 1:
        raise NotComparable("Latency runs and quality runs lie together; give each kind a folder of its own.")
    return kinds == {True}


def welch(base: Sequence[float], head: Sequence[float]) -> StudentHarm:
    """Difference of means with its standard error and the degrees of freedom of Welch and Satterthwaite."""
    if min(len(base), len(head)) < 2:
        return StudentHarm(fmean(head) - fmean(base), float("nan"), 0, 0)
    parts = [variance(side) / len(side) for side in (base, head)]
    total = sum(parts)
    spread = sum(part**2 / (len(side) - 1) for part, side in zip(parts, (base, head), strict=True))
    degrees = total**2 / spread if spread else float(len(base) + len(head) - 2)
    return StudentHarm(fmean(head) - fmean(base), sqrt(total), degrees, len(base) + len(head))


def gate_times(base: Sequence[StoredRun], head: Sequence[StoredRun], spec: GateSpec, context: str) -> TimeReport:
    """Decides the whole family; raises NotComparable with the field that differs, NothingMeasured for an empty one."""
    policy = spec.policy(context)
    pairs = list(_paired(base, head))
    family = [(one, other, times) for one, other in pairs for times in _times(one, other, spec)]
    held = [line for one, other in pairs for line in _memory(one, other, spec)]
    if not family and not held:
        raise NothingMeasured("The gate matched no time at all; a gate that measures nothing does not pass.")
    verdicts = decide(
        [times.harm for _, _, times in family],
        [margin_on_log(times.margin) for _, _, times in family],
        alpha_fail=spec.alpha_fail,
        alpha_pass=spec.alpha_pass,
    )
    found = []
    for (one, other, times), verdict in zip(family, verdicts, strict=True):
        n = min(len(times.base), len(times.head))
        line = finding(
            _place(other.record), times.name, times.role, verdict, margin=times.margin, sides=times.sides, n=n
        )
        found.append(_fit(line, one.record, other.record))
    alone = sorted({int(size) for pair in pairs for size in _alone(*pair)})
    sizes = ", ".join(map(str, alone))
    notes = (f"The sweep of a side ended before batch size {sizes}: not compared.",) if alone else ()
    return TimeReport((*found, *held), policy, (_NOTE, *notes))


def _fit(line: TimeFinding, base: RunRecord, head: RunRecord) -> TimeFinding:
    """Unfit where a machine was, or where a side has one process alone."""
    for name, record in (("base", base), ("head", head)):
        if record.performance is not None and record.performance.machine.verdict == "unfit":
            return replace(line, status=Status.UNFIT, says=f"the machine of the {name} was unfit: measure it again")
    if line.n < 2:
        return replace(line, status=Status.UNFIT, says="one process on a side says nothing about the next")
    return line


def _paired(base: Sequence[StoredRun], head: Sequence[StoredRun]) -> Iterator[tuple[StoredRun, StoredRun]]:
    newest = {_place(run.record): run for run in sorted(base, key=lambda run: run.record.id)}
    others = {_place(run.record): run for run in sorted(head, key=lambda run: run.record.id)}
    if len(newest) == len(others) == 1:
        newest, others = {"": next(iter(newest.values()))}, {"": next(iter(others.values()))}
    if odd := sorted(newest.keys() ^ others.keys()):
        raise NotComparable(f"{odd[0]} was measured on one side alone; measure it on both.")
    for place, one in newest.items():
        other = others[place]
        differences = one.record.key.differences(other.record.key, PRIMARY)
        if differences:
            raise NotComparable(
                f"{one.record.id} and {other.record.id} cannot be compared ({'; '.join(differences)}); measure both on "
                "one machine in the same way, or use mmbench gate ab."
            )
        yield one, other


def _place(record: RunRecord) -> str:
    return f"{record.model.name} on {record.suite}"


def _alone(base: StoredRun, head: StoredRun) -> set[str]:
    """Batch sizes of one side, where the sweep of the other ended early; raises NotComparable where it did not."""
    for one, other in ((base, head), (head, base)):
        performance = other.record.performance
        lacking = _sizes(one) - _sizes(other)
        if lacking and not (performance is not None and performance.sweep_ended):
            raise NotComparable(
                f"Batch size {min(lacking, key=int)} was measured on one side alone; repeat both runs with one --batch."
            )
    return _sizes(base) ^ _sizes(head)


def _sizes(run: StoredRun) -> set[str]:
    return {e.slice for e in run.record.estimates if e.metric == PRIMARY and e.tag == BATCH}


def _times(base: StoredRun, head: StoredRun, spec: GateSpec) -> Iterator[Times]:
    rows = [load_rows(run.folder, run.record) for run in (base, head)]
    alone = _alone(base, head)
    shared = [e for e in head.record.estimates if e.metric in MARGINS and e.tag == BATCH and e.slice not in alone]
    for e in shared:
        before = base.record.estimate(e.metric, tag=BATCH, value=e.slice)
        if e.metric == _TAIL and (e.value is None or before is None or before.value is None):
            continue  # too few calls for a percentile
        if before is None or before.value is None or e.value is None:
            raise NotComparable(f"{e.metric} at batch size {e.slice} was measured on one side alone; repeat both runs.")
        rule = _rule(spec, e.metric, f"{BATCH}={e.slice}", head.record)
        if rule is None:
            continue
        one, other = (tuple(_values(table, e.metric, int(e.slice))) for table in rows)
        name = f"{e.metric}{{{BATCH}={e.slice}}}"
        yield Times(name, one, other, (before.value, e.value), rule.role, _share(rule, e.metric))


def _values(table: Rows, metric: str, batch: int) -> list[float]:
    if metric == _TAIL:
        return process_tails(table, batch, PERCENTILES[metric])
    return process_values(table, QUANTITY[metric], batch)


def _memory(base: StoredRun, head: StoredRun, spec: GateSpec) -> Iterator[TimeFinding]:
    """Peaks at each batch size that both sides have."""
    for e in head.record.estimates:
        if e.metric != _MEMORY or e.tag != BATCH or e.value is None:
            continue
        before = base.record.estimate(_MEMORY, tag=BATCH, value=e.slice)
        rule = _rule(spec, _MEMORY, f"{BATCH}={e.slice}", head.record)
        if rule is not None and before is not None and before.value:
            share = _share(rule, _MEMORY)
            name = f"{_MEMORY}{{{BATCH}={e.slice}}}"
            limit = MEMORY_SHARE if share is None else share
            yield memory_finding(_place(head.record), name, rule.role, before.value, e.value, 1, limit)


def _rule(spec: GateSpec, metric: str, place: str, record: RunRecord) -> MetricRule | None:
    """The first rule that fits; without rules the primary metric is gated and the others are guards."""
    if not spec.metric:
        return MetricRule(select=metric, role="gate" if metric == PRIMARY else "guard")
    for rule in spec.metric:
        if fits(metric, rule.select) and fits(place, rule.slice or "*") and _where(rule, record):
            return rule
    return None


def _where(rule: MetricRule, record: RunRecord) -> bool:
    globs = [(record.suite, rule.where.suite), (record.model.name, rule.where.model)]
    return all(any(fits(text, g) for g in ((glob,) if isinstance(glob, str) else glob)) for text, glob in globs)


def _share(rule: MetricRule, metric: str) -> float | None:
    """The relative margin of a rule, else the default of the metric."""
    margin = rule.margin
    if margin is None:
        return MARGINS.get(metric)
    if isinstance(margin, RelativeMargin) and margin.plus == 0:
        return margin.share
    raise UsageError(f"The margin of {metric} must be relative, as in margin = '5%'; correct the gate's file.")
