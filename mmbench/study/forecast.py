"""How long the trainings that are left will take: each by the pace of its own strategy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Expected:
    """Seconds, estimated beforehand: of one training by strategy, and of the ``preparation`` that all of them share.

    Without entries where nothing was estimated.
    """

    trainings: Mapping[str, float] = field(default_factory=dict)
    preparation: float = 0.0


class Forecast:
    """Trainings to do, by the name of their strategy.

    What was measured of a strategy counts for it alone, as attention may take ten times as long as a sum. A strategy
    that is still to come takes as long as was estimated, corrected by how far the estimates of the others were off.
    """

    def __init__(self, todo: Iterable[str], expected: Expected) -> None:
        self._todo = Counter(todo)
        self._expected = expected.trainings
        self._preparation = expected.preparation
        self._taken: dict[str, list[float]] = {}

    def prepared(self) -> None:
        """What all trainings share is there."""
        self._preparation = 0.0

    def done(self, strategy: str, seconds: float | None = None) -> None:
        """A training is over, after so many seconds; None where that says nothing, as it failed."""
        self._todo[strategy] -= 1
        if seconds is not None:
            self._taken.setdefault(strategy, []).append(seconds)

    @property
    def trainings(self) -> int:
        """How many are left."""
        return self._todo.total()

    @property
    def seconds(self) -> float | None:
        """What is left; None while nothing is known."""
        if not self._taken and not self._expected:
            return None
        return self._preparation + sum(count * self._pace(name) for name, count in self._todo.items() if count)

    def _pace(self, strategy: str) -> float:
        own = self._taken.get(strategy)
        if own:
            return median(own)
        if strategy in self._expected:
            return self._expected[strategy] * self._correction()
        return median(median(taken) for taken in self._taken.values()) if self._taken else 0.0

    def _correction(self) -> float:
        """The middle strategy's measured time as a share of what was estimated."""
        shares = [
            median(taken) / expected for name, taken in self._taken.items() if (expected := self._expected.get(name))
        ]
        return median(shares) if shares else 1.0
