"""Bounds of accuracy, where a class is bound to an item by a law."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from mmbench.core.bounds import Bounds
from mmbench.sources.scenes import SPEC_VERSION
from mmbench.sources.scenes.label_laws import Shown, additive_accuracy, best_accuracy
from mmbench.sources.scenes.regimes import MIXED
from mmbench.sources.scenes.tasks.task import TAG

METRIC = "accuracy"
DIGITS = 6  # rounding hides the last bits, in which platforms differ


def accuracy_bounds(items: Sequence[Shown], modalities: Sequence[str], mixed: bool) -> tuple[Bounds, ...]:
    """Over all items, then, where laws are mixed, over those of each."""
    if not items:
        return ()
    overall = _bounds(items, modalities)
    slices = [_bounds(own, modalities, name) for name in MIXED if (own := [i for i in items if i.law.name == name])]
    return (overall, *slices) if mixed else (overall,)


def proper_subsets(modalities: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """What may be observed short of everything, by name: each modality, of three also each pair (``image+audio``).

    With three modalities the gain of fusing all is measured against the best pair.
    """
    places = range(len(modalities))
    subsets = [subset for size in range(1, len(modalities)) for subset in combinations(places, size)]
    return {"+".join(modalities[m] for m in subset): subset for subset in subsets}


def _bounds(items: Sequence[Shown], modalities: Sequence[str], slice_name: str = "") -> Bounds:
    additive = additive_accuracy(items)
    return Bounds(
        metric=METRIC,
        chance=round(best_accuracy(items, ()), DIGITS),
        unimodal={name: round(best_accuracy(items, seen), DIGITS) for name, seen in proper_subsets(modalities).items()},
        fused=round(best_accuracy(items, range(len(modalities))), DIGITS),
        additive=None if additive is None else round(additive, DIGITS),
        spec_version=SPEC_VERSION,
        tag=TAG if slice_name else "",
        value=slice_name,
    )
