"""Whether a strategy is as large as the baseline: its fusion's parameters by itself, and as they were trained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# Parameters count as matched within this share of those of the baseline.
TOLERANCE = 0.05

# native: as the operator comes; tuned: a width that tuning chose; matched: within TOLERANCE of the baseline; nearest:
# solved for, but no whole width comes so near; unmatched: the operator has no width to be solved for.
Sizing = Literal["native", "tuned", "matched", "nearest", "unmatched"]


@dataclass(frozen=True, slots=True)
class Size:
    """Parameters of a fusion: ``trained`` those of the cells, ``native`` without tuning or matching.

    ``wanted`` are those of the baseline where they were to be matched, None where not.
    """

    trained: int
    native: int
    wanted: int | None = None

    @property
    def sizing(self) -> Sizing:
        """How the one came from the other."""
        if self.wanted is None:
            return "native" if self.trained == self.native else "tuned"
        if abs(self.off) <= TOLERANCE:
            return "matched"
        return "unmatched" if self.trained == self.native else "nearest"

    @property
    def off(self) -> float:
        """By what share of the wanted parameters there are more; 0 where none are wanted."""
        return 0.0 if not self.wanted else self.trained / self.wanted - 1
