"""The table of a study: every strategy against one of them, with what the test set and the seeds allow to say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from math import inf, isnan

import numpy as np

from mmbench.core.bounds import Bounds
from mmbench.core.metric import Metric
from mmbench.stats.efficiency import labels_to_reach
from mmbench.stats.jackknife import Jackknife
from mmbench.stats.multiple import holm
from mmbench.stats.power import minimal_detectable_effect
from mmbench.stats.ranks import rank_ranges
from mmbench.stats.seeds import superiority
from mmbench.study.contrasts import Contrast, Ranged, contrast, excess, score
from mmbench.study.design import FEWEST_SEEDS, Control, Strategy
from mmbench.study.sizing import Size

ALPHA = 0.05
# Labels are counted up to this share of the best attainable score.
NEARLY = 0.9


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one strategy: parameters of its fusion, all parameters, milliseconds per item; how large its fusion is meant
    to be, None for a control.
    """

    fusion_parameters: int
    parameters: int
    ms_per_item: float | None
    size: Size | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Measured:
    """One strategy: its test scores by seed, the mean validation score, its costs, and (labels, mean score) pairs."""

    strategy: Strategy
    seeds: tuple[Jackknife, ...]
    validation: float
    cost: Cost
    by_labels: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One strategy of the table. None: it does not apply.

    ``difference`` is to the strategy compared with, ``adjusted`` its p-value after Holm over all such strategies.
    ``needed``: test groups with which a true difference as large as the one seen would be found; infinite where only
    more seeds would help. ``gain`` is over the best model of one modality, wide or not, ``gain_adjusted`` its p-value
    after Holm; ``excess`` is over U*, what the best possible model of one modality scores, ``excess_adjusted`` its
    p-value after Holm. ``nearly``: labels that reach 90 % of the best score; infinite where the whole split does not.
    ``by_labels`` are (labels, mean score), ascending; ``by_seed`` are the scores.
    """

    name: str
    control: Control
    score: Ranged
    seed_range: tuple[float, float]
    difference: Contrast | None
    adjusted: float | None
    superiority: float | None
    needed: float | None
    rank: tuple[int, int] | None
    gain: Contrast | None
    gain_adjusted: float | None
    excess: Contrast | None
    excess_adjusted: float | None
    phi: Ranged | None
    psi: Ranged | None
    cost: Cost
    nearly: float | None
    by_labels: tuple[tuple[int, float], ...] = ()
    by_seed: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class StudyTable:
    """A suite reference on one track, best strategy first, then the controls.

    ``detectable``: the true difference to ``against`` that is found with probability .8, at Holm's strictest level.
    ``goal`` is the score that ``nearly`` asks for. ``missing`` says which lines there are not, and why.
    """

    suite: str
    track: str
    metric: str
    against: str
    seeds: int
    samples: int
    groups: int
    lines: tuple[Line, ...]
    detectable: float | None
    best_unimodal: str | None
    bounds: Bounds | None
    goal: float | None
    missing: tuple[str, ...] = ()

    @property
    def claims_seeds(self) -> bool:
        """Whether intervals speak of new trainings."""
        return self.seeds >= FEWEST_SEEDS


@dataclass(frozen=True, slots=True)
class Subject:
    """What a table is of."""

    suite: str
    track: str
    metric: Metric
    against: str
    samples: int
    bounds: Bounds | None
    missing: tuple[str, ...] = ()


def tabulate(subject: Subject, measured: Sequence[Measured]) -> StudyTable:
    """The table; ``measured`` holds ``against``, and every strategy on the same groups of samples."""
    ranked = [one for one in measured if not one.strategy.control]
    against = next(one for one in ranked if one.strategy.name == subject.against)
    unimodal = _best_unimodal(measured)
    contrasts = {one.strategy.name: contrast(one.seeds, against.seeds) for one in measured if one is not against}
    gains = {} if unimodal is None else {m.strategy.name: contrast(m.seeds, unimodal.seeds) for m in ranked}
    bound = None if subject.bounds is None else subject.bounds.best_unimodal
    excesses = {} if bound is None else {one.strategy.name: excess(one.seeds, bound) for one in ranked}
    family = [one.strategy.name for one in ranked if one is not against]
    level = ALPHA / max(1, len(family))
    shown = _Shown(
        subject=subject,
        against=against,
        contrasts=contrasts,
        adjusted=_holm({name: contrasts[name] for name in family}),
        gains=gains,
        gains_adjusted=_holm(gains),
        excesses=excesses,
        excesses_adjusted=_holm(excesses),
        ranks=_ranks(ranked),
        level=level,
        goal=_goal(subject, ranked),
    )
    lines = [_line(shown, one) for one in measured]
    return StudyTable(
        suite=subject.suite,
        track=subject.track,
        metric=subject.metric.id,
        against=subject.against,
        seeds=min(len(one.seeds) for one in measured),
        samples=subject.samples,
        groups=against.seeds[0].groups,
        lines=tuple(sorted(lines, key=lambda line: (bool(line.control), -line.score.value, line.name))),
        detectable=_detectable([contrasts[name] for name in family], level),
        best_unimodal=None if unimodal is None else unimodal.strategy.name,
        bounds=subject.bounds,
        goal=shown.goal,
        missing=subject.missing,
    )


@dataclass(frozen=True, slots=True)
class _Shown:
    """What all lines of a table share, by the strategies' names."""

    subject: Subject
    against: Measured
    contrasts: Mapping[str, Contrast]
    adjusted: Mapping[str, float]
    gains: Mapping[str, Contrast]
    gains_adjusted: Mapping[str, float]
    excesses: Mapping[str, Contrast]
    excesses_adjusted: Mapping[str, float]
    ranks: Mapping[str, tuple[int, int]]
    level: float
    goal: float | None


def _line(shown: _Shown, one: Measured) -> Line:
    name = one.strategy.name
    metric = shown.subject.metric
    limits = (metric.low, metric.high) if metric.direction == "higher" else (-metric.high, -metric.low)
    found = score(one.seeds, limits)
    values = [seed.value for seed in one.seeds]
    difference = shown.contrasts.get(name)
    bounds = shown.subject.bounds
    adjusted = shown.adjusted.get(name)
    apart = adjusted is None or adjusted <= ALPHA or difference is None
    return Line(
        name=name,
        control=one.strategy.control,
        score=found,
        seed_range=(min(values), max(values)),
        difference=difference,
        adjusted=adjusted,
        superiority=None if difference is None else superiority(values, [s.value for s in shown.against.seeds]),
        needed=None if apart or difference is None else _needed(difference, one.seeds[0].groups, shown.level),
        rank=shown.ranks.get(name),
        gain=shown.gains.get(name),
        gain_adjusted=shown.gains_adjusted.get(name),
        excess=shown.excesses.get(name),
        excess_adjusted=shown.excesses_adjusted.get(name),
        phi=None if bounds is None else _mapped(found, bounds.phi),
        psi=None if bounds is None else _mapped(found, bounds.psi),
        cost=one.cost,
        nearly=_nearly(one.by_labels, shown.goal),
        by_labels=one.by_labels,
        by_seed=tuple(values),
    )


def _best_unimodal(measured: Sequence[Measured]) -> Measured | None:
    """The best on the validation split: the test split must not choose what it is compared with.

    The wide ones are among them: where fusion can gain nothing, a deeper head still may.
    """
    found = [one for one in measured if one.strategy.control in ("unimodal", "wide")]
    return max(found, key=lambda one: one.validation, default=None)


def _holm(contrasts: Mapping[str, Contrast]) -> dict[str, float]:
    adjusted = holm(np.array([found.p for found in contrasts.values()]))
    return {name: float(p) for name, p in zip(contrasts, adjusted, strict=True)}


def _ranks(ranked: Sequence[Measured]) -> dict[str, tuple[int, int]]:
    """Over all pairs of strategies, controls left out."""
    means = np.array([np.mean([seed.value for seed in one.seeds]) for one in ranked])
    p_values = [contrast(a.seeds, b.seeds).p for a, b in combinations(ranked, 2)]
    found = rank_ranges(means, np.array(p_values), ALPHA)
    return {one.strategy.name: rank for one, rank in zip(ranked, found, strict=True)}


def _detectable(contrasts: Sequence[Contrast], level: float) -> float | None:
    """Of the difference in the middle: half of them can be found from a smaller one on."""
    found = [
        minimal_detectable_effect(one.measured.error, alpha=level, degrees=one.measured.degrees)
        for one in contrasts
        if not isnan(one.measured.error)
    ]
    return float(np.median(found)) if found else None


def _needed(difference: Contrast, groups: int, level: float) -> float | None:
    measured = difference.measured
    return None if isnan(measured.error) else measured.groups_to_detect(groups, alpha=level)


def _mapped(found: Ranged, share: Callable[[float], float | None]) -> Ranged | None:
    """Bounds are constants, so an interval of the score maps end by end."""
    value = share(found.value)
    if value is None:
        return None
    low, high = (None if end is None else share(end) for end in (found.low, found.high))
    return Ranged(value, low, high)


def _goal(subject: Subject, ranked: Sequence[Measured]) -> float | None:
    """90 % of F*; where that is not known, of the best mean score."""
    if subject.metric.direction != "higher" or not any(one.by_labels for one in ranked):
        return None
    best = max(float(np.mean([seed.value for seed in one.seeds])) for one in ranked)
    return NEARLY * (best if subject.bounds is None else subject.bounds.fused)


def _nearly(by_labels: Sequence[tuple[int, float]], goal: float | None) -> float | None:
    if goal is None or len(by_labels) < 2:
        return None
    labels, scores = zip(*sorted(by_labels), strict=True)
    found = labels_to_reach(labels, scores, goal)
    return inf if found is None else found
