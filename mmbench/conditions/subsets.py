"""Which samples to train on: nested parts, uneven classes. Pure functions of ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mmbench.conditions.stream import VERSION
from mmbench.core.errors import UsageError
from mmbench.core.streams import random_words

PERCENTS = (1, 2, 5, 10, 25, 100)
RATIOS = (1, 10, 100)


def nested(
    groups: Mapping[str, str], percent: int, strata: Mapping[str, str] | None = None, seed: int = 0
) -> list[str]:
    """The samples of ``percent`` in 100 of the groups; a smaller part is always within a larger one.

    ``groups`` maps each sample id to its unit (the id itself without groups), ``strata`` each unit to what every part
    shall hold in proportion (its class); each stratum keeps one unit at least. Raises UsageError on another percent.
    """
    if percent not in PERCENTS:
        raise UsageError(f"There is no part of {percent}%; expected one of: {', '.join(map(str, PERCENTS))}.")
    members: dict[str, list[str]] = {}
    for group in dict.fromkeys(groups.values()):
        members.setdefault("" if strata is None else strata[group], []).append(group)
    kept = {group for units in members.values() for group in _first(units, -(-len(units) * percent // 100), seed)}
    return [sample for sample, group in groups.items() if group in kept]


def geometric_prior(classes: int, ratio: int) -> list[float]:
    """Shares of the classes, each the same factor below the one before, the last ``ratio`` times below the first."""
    weights = [ratio ** (-label / (classes - 1)) for label in range(classes)] if classes > 1 else [1.0]
    return [weight / sum(weights) for weight in weights]


def imbalanced(labels: Mapping[str, int], ratio: int, seed: int = 0) -> list[str]:
    """The samples that are left when class c keeps its share of ``geometric_prior``; class 0 keeps all.

    ``labels`` maps each sample id to its class 0..k-1; a larger ratio leaves a part of what a smaller one leaves.
    Raises UsageError on another ratio than 1, 10 and 100.
    """
    if ratio not in RATIOS:
        raise UsageError(f"There is no imbalance {ratio}:1; expected one of: {', '.join(f'{r}:1' for r in RATIOS)}.")
    classes = 1 + max(labels.values(), default=0)
    prior = geometric_prior(classes, ratio)
    kept: set[str] = set()
    for label in range(classes):
        own = [sample for sample, found in labels.items() if found == label]
        kept.update(_first(own, round(len(own) * prior[label] / prior[0]), seed))
    return [sample for sample in labels if sample in kept]


def _first(units: Sequence[str], count: int, seed: int) -> list[str]:
    """The first units in an order that depends on each unit's name and the seed alone."""
    return sorted(units, key=lambda unit: (_word(unit, seed), unit))[:count]


def _word(unit: str, seed: int) -> int:
    return int(random_words(1, f"subsets|{VERSION}|{seed}|{unit}")[0])
