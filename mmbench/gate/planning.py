"""Margins that the data can decide: which one tells no change from a drop twice as large, and the samples it takes.

One standard error decides both: an unchanged model is a margin below it, a drop of two margins a margin above. The
regression is claimed by Holm over the family, so that its alpha is the smaller one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, isnan, log10, sqrt

from mmbench.gate.family import Subject
from mmbench.gate.spec import GateSpec, Role
from mmbench.reports.grid import Grid, Head, Line
from mmbench.reports.numbers import NONE
from mmbench.reports.terminal import Block, Heading, Paragraph
from mmbench.stats.power import groups_to_decide, minimal_detectable_effect

POWER = 0.95
# A change brings noise of its own, and bounds are careful about skewed groups: errors are up to 10 % larger than those
# of an unchanged pair (docs/gate-simulation.md), so that plans reckon with more.
RESERVE = 1.15
# Margins in points for which the groups are told.
_ASKED = (0.5, 1.0, 2.0)
_MS_PER_MINUTE = 60_000


@dataclass(frozen=True, slots=True)
class Plan:
    """A metric: the standard error now, the margin that these groups decide with power 0.95, the groups needed.

    ``margin`` None where nothing differs, so that no error is known. ``needed``: by margin in points, the groups that
    decide it: an unchanged model passes, a drop of two margins is a regression. ``minutes`` of the head's
    model for ``n`` samples, None where nothing was timed. ``affordable``: groups that the budget pays for, None without
    one; where they are fewer than ``groups``, the margin is that of a run of so many.
    """

    suite: str
    metric: str
    select: str
    label: str
    slice: str
    role: Role
    error: float
    margin: float | None
    n: int
    groups: int
    needed: tuple[float | None, ...]
    minutes: float | None
    affordable: int | None = None


def plans(family: Sequence[Subject], spec: GateSpec) -> list[Plan]:
    """For each line of the family; the error is that of the difference of these two runs."""
    alpha = min(spec.alpha_pass, spec.alpha_fail / max(1, len(family)))
    return [_plan(subject, alpha, spec.budget_s) for subject in family]


def planned_groups(error: float, groups: int, margin: float, alpha: float) -> float:
    """Groups that decide a margin at ``alpha`` with power ``POWER``; ``error`` of an unchanged pair of ``groups``."""
    return groups_to_decide(RESERVE * error, groups, 0.0, margin, alpha=alpha, power=POWER)


def blocks(found: Sequence[Plan]) -> Iterator[Block]:
    """What is shown on a terminal."""
    yield Heading("Margins that these samples can decide")
    limited = any(plan.affordable is not None for plan in found)
    budget = ("groups in budget",) if limited else ()
    asked = (f"groups for {points}pt" for points in _ASKED)
    heads = ("metric", "error pt", "margin pt", "groups", *budget, *asked, "min")
    for suite in dict.fromkeys(plan.suite for plan in found):
        lines = tuple(Line(_cells(plan, limited)) for plan in found if plan.suite == suite)
        yield Grid(suite, tuple(Head(text, right=bool(i)) for i, text in enumerate(heads)), lines, repeat=(0,))
    yield Paragraph(
        "Margin: in 95 % of runs of this size an unchanged model passes with it, and a drop of twice the margin is a "
        "regression, if two runs differ as much as these. Groups for a margin: as many as that takes. Min: minutes of "
        "the model for one run of this size.",
        quiet=True,
    )
    if any(plan.affordable is not None and plan.affordable < plan.groups for plan in found):
        yield Paragraph("The budget pays for fewer groups than there are: measure that many (mmbench run --limit).")


def toml(found: Sequence[Plan], spec: GateSpec) -> str:
    """A gate's file with the margins; metrics without a proposal are left to detect mode."""
    budget = f"budget_s = {spec.budget_s:g}\n" if spec.budget_s is not None else ""
    parts = [f'[gate]\non_inconclusive = {{ pr = "warn", release = "fail" }}\n{budget}']
    for plan in {(plan.select, plan.label, plan.slice): plan for plan in found}.values():
        widest = max((p.margin or 0.0 for p in found if p.metric == plan.metric), default=0.0)
        lines = [f"select = {json.dumps(plan.select)}", f'role = "{plan.role}"']
        lines += [f"{key} = {json.dumps(text)}" for key, text in (("label", plan.label), ("slice", plan.slice)) if text]
        lines += [f'margin = "{100 * widest:g}pt"'] if widest else []
        parts.append("[[gate.metric]]\n" + "\n".join(lines) + "\n")
    return "\n".join(parts)


def _plan(subject: Subject, alpha: float, budget_s: float | None) -> Plan:
    score, head = subject.score, subject.runs.head
    error = score.error
    known = not isnan(error) and error > 0
    cost = head.cost.ms_per_item
    needed = tuple(planned_groups(error, score.groups, points / 100, alpha) if known else None for points in _ASKED)
    affordable = _affordable(subject, budget_s)
    spread = error * sqrt(max(1.0, score.groups / affordable)) if affordable else error
    return Plan(
        suite=head.suite,
        metric=subject.id,
        select=score.metric.id,
        label=score.label,
        slice=f"{subject.tag}={subject.value}" if subject.tag else "",
        role=subject.role,
        error=error,
        margin=_rounded_up(minimal_detectable_effect(RESERVE * spread, alpha=alpha, power=POWER, sides=1))
        if known
        else None,
        n=score.samples,
        groups=score.groups,
        needed=needed,
        minutes=None if cost is None else cost * score.samples / _MS_PER_MINUTE,
        affordable=affordable,
    )


def _affordable(subject: Subject, budget_s: float | None) -> int | None:
    """Groups whose samples the head's model does in the budget, once for each training seed; at least one."""
    cost = subject.runs.head.cost.ms_per_item
    if budget_s is None or not cost:
        return None
    samples = 1000 * budget_s / cost / len(subject.runs.heads)
    return max(1, floor(samples * subject.score.groups / subject.score.samples))


def _rounded_up(value: float) -> float:
    """To two digits."""
    unit = 10.0 ** (floor(log10(value)) - 1)
    return float(f"{ceil(value / unit - 1e-9) * unit:.12g}")


def _cells(plan: Plan, limited: bool) -> tuple[str, ...]:
    return (
        plan.metric,
        NONE if isnan(plan.error) else f"{100 * plan.error:.3f}",
        NONE if plan.margin is None else f"{100 * plan.margin:g}",
        f"{plan.groups}",
        *((NONE if plan.affordable is None else f"{plan.affordable:,}",) if limited else ()),
        *(NONE if groups is None else f"{groups:,.0f}" for groups in plan.needed),
        NONE if plan.minutes is None else f"{plan.minutes:.1f}",
    )
