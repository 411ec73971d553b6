"""How likely each class of an object or item is when some modalities are seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np

from mmbench.sources.scenes.regimes import Law


def chances(law: Law, seen: Mapping[int, int]) -> dict[int, float]:
    """P(class | modality m shows ``seen[m]`` for each m given), of the classes that are possible.

    Raises KeyError when the law never shows that.
    """
    observed = tuple(sorted(seen))
    counts = tables(law, observed)[tuple(seen[m] for m in observed)]
    return {label: count / counts.total() for label, count in sorted(counts.items())}


@lru_cache(maxsize=256)
def tables(law: Law, observed: tuple[int, ...]) -> Mapping[tuple[int, ...], Counter[int]]:
    """How many rows of a law have each class, by what the modalities ``observed`` show."""
    found: dict[tuple[int, ...], Counter[int]] = {}
    for y, *shown in law.rows.tolist():
        found.setdefault(tuple(shown[m] for m in observed), Counter())[y] += 1
    return found


def law_accuracy(law: Law, observed: tuple[int, ...], labels: Sequence[int]) -> float:
    """Best accuracy when ``observed`` are seen and class c is drawn ``labels[c]`` times, the rest by the law.

    It is the sum over observations o of max_c P(o | c) labels[c], over the number of items.
    """
    rows = np.bincount(law.rows[:, 0], minlength=law.classes)
    odds = np.asarray(labels) / rows
    counted = tables(law, observed).values()
    return float(sum(max(odds[c] * n for c, n in counts.items()) for counts in counted) / sum(labels))
