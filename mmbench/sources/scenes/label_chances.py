"""How likely each class of an object or item is when some modalities are seen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache

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


@lru_cache(maxsize=256)
def law_accuracy(law: Law, observed: tuple[int, ...]) -> float:
    """Best accuracy on a law when ``observed`` are seen: sum over observations of P(o) max_c P(c | o)."""
    counted = tables(law, observed).values()
    return sum(max(counts.values()) for counts in counted) / sum(counts.total() for counts in counted)
