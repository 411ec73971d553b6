"""The family of a gate: which metrics of the paired runs are decided on, in which role, under which margin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase

from mmbench.core.errors import NotComparable, NothingMeasured, UsageError
from mmbench.core.metric import Metric
from mmbench.gate.spec import GateSpec, Globs, MetricRule, Role, Where
from mmbench.metrics.paired_rows import PairedRows
from mmbench.metrics.pairing import PairedScore, paired_scores
from mmbench.reports.paired_runs import PairedRuns

BASE, ANCHOR = "base", "anchor"


class Status(StrEnum):
    """What is known of a metric; ``unfit``: nothing can be said at all (one group, undefined)."""

    PASS = "pass"  # noqa: S105 - a status, no password
    REGRESS = "regress"
    INCONCLUSIVE = "inconclusive"
    NOT_DETECTED = "not-detected"
    UNFIT = "unfit"


@dataclass(frozen=True, slots=True)
class Subject:
    """A metric of the family before the decision; ``tag``/``value`` name the slice.

    ``share`` of alpha that this ``look`` spends, and what an earlier look has ``settled`` (``gate.ledger``).
    """

    runs: PairedRuns
    score: PairedScore
    role: Role
    margin: float | None
    against: str = BASE
    tag: str = ""
    value: str = ""
    share: float = 1.0
    look: int = 1
    settled: Status | None = None

    @property
    def id(self) -> str:
        """``miou``, ``iou{label=road}``, ``miou{time=night}``."""
        return line_id(self.score.metric, self.score.label, self.tag, self.value)


def line_id(metric: Metric, label: str, tag: str, value: str) -> str:
    """``miou``, ``iou{label=road}``, ``miou{time=night}``."""
    inside = [f"label={label}"] * bool(label) + [f"{tag}={value}"] * bool(tag)
    return f"{metric.id}{{{','.join(inside)}}}" if inside else metric.id


def subjects(pairs: Sequence[PairedRuns], spec: GateSpec) -> list[Subject]:
    """The family: every line that a rule selects; without rules each primary metric as gate, the others as guards.

    Raises NothingMeasured when a rule selects nothing, NotComparable when a metric was measured on one side alone,
    UsageError when ``better`` contradicts the metric.
    """
    used: set[int] = set()
    found: list[Subject] = []
    for runs in pairs:
        if runs.unshared:
            raise NotComparable(
                f"{', '.join(runs.unshared)}: measured on one side of {runs.head.suite} alone; measure both sides with "
                "the same metrics."
            )
        rules = spec.metric or _default_rules(runs)
        for number, subject in _selected(runs, rules):
            used.add(number)
            found.append(subject)
    for number, rule in enumerate(spec.metric):
        if number not in used:
            raise NothingMeasured(f"No metric of the runs fits {_described(rule)}; correct the gate's file.")
    return found


def anchored(family: Sequence[Subject], factor: float) -> list[Subject]:
    """The family against the anchor: guards, under margins that are wider by ``factor``; without margins none."""
    return [
        Subject(s.runs, s.score, "guard", s.margin * factor, ANCHOR, s.tag, s.value)
        for s in family
        if s.margin is not None
    ]


def _default_rules(runs: PairedRuns) -> tuple[MetricRule, ...]:
    primary = runs.head.primary
    others = (metric.id for metric in runs.metrics if metric.id != primary and not metric.per_class)
    return (MetricRule(select=primary), *(MetricRule(select=name, role="guard") for name in others))


def _selected(runs: PairedRuns, rules: Sequence[MetricRule]) -> Iterator[tuple[int, Subject]]:
    """Each line of these runs that a rule selects, with the number of the first such rule."""
    parts: list[tuple[str, str, PairedRows]] = [("", "", runs.rows)]
    if any(rule.slice for rule in rules):
        parts += runs.rows.slices()
    for tag, value, rows in parts:
        for cluster in dict.fromkeys(rule.cluster for rule in rules):
            wanted = [
                metric
                for metric in runs.metrics
                if any(rule.cluster == cluster for _, rule in _rules_for(runs, rules, metric, tag, value))
            ]
            clustered = rows.clustered(cluster) if cluster and wanted else rows
            for score in paired_scores(clustered, wanted, runs.context):
                number, rule = _rule_of(_rules_for(runs, rules, score.metric, tag, value), score.label)
                if rule is not None and rule.cluster == cluster:
                    _check_direction(rule, score.metric)
                    margin = rule.margin_of(score.base.value)
                    yield number, Subject(runs, score, rule.role, margin, BASE, tag, value)


def _rule_of(rules: Sequence[tuple[int, MetricRule]], label: str) -> tuple[int, MetricRule | None]:
    """The first that fits the class."""
    return next(((number, rule) for number, rule in rules if fits(label, rule.label)), (-1, None))


def _rules_for(
    runs: PairedRuns, rules: Sequence[MetricRule], metric: Metric, tag: str, value: str
) -> list[tuple[int, MetricRule]]:
    name = f"{tag}={value}" if tag else ""
    return [
        (number, rule)
        for number, rule in enumerate(rules)
        if fits(metric.id, rule.select)
        and bool(rule.label) == metric.per_class
        and fits(name, rule.slice)
        and is_where(runs, rule.where)
    ]


def is_where(runs: PairedRuns, where: Where) -> bool:
    """Whether the head's suite and model fit."""
    return _any(runs.head.suite, where.suite) and _any(runs.head.model.name, where.model)


def _any(text: str, globs: Globs) -> bool:
    return any(fits(text, glob) for glob in ((globs,) if isinstance(globs, str) else globs))


def fits(text: str, glob: str) -> bool:
    """Star and question mark; brackets stand for themselves, as names hold them."""
    return fnmatchcase(text, glob.replace("[", "[[]"))


def _check_direction(rule: MetricRule, metric: Metric) -> None:
    if rule.better not in (None, metric.direction):
        raise UsageError(
            f"The gate's rule for {rule.select!r} says better = {rule.better!r}, but of {metric.id} {metric.direction} "
            "is better; correct the gate's file."
        )


def _described(rule: MetricRule) -> str:
    extra = [f"{name} = {getattr(rule, name)!r}" for name in ("slice", "label") if getattr(rule, name)]
    where = [f"where {name} = {value!r}" for name, value in rule.where if value != "*"]
    return ", ".join([f"select = {rule.select!r}", *extra, *where])
