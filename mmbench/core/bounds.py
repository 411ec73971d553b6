"""What score is attainable: chance, the best single modality, the best fusion."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

# Below this gap between the best fused and the best unimodal score, phi would be 0/0 and is not shown.
SMALLEST_GAP = 0.05

Score = Annotated[float, Field(allow_inf_nan=False)]


class Bounds(BaseModel):
    """Bounds of one metric on one set of samples, computed from the realised draw.

    ``chance`` is the best score without looking at any input; ``unimodal[m]`` (U*_m) the best with modality m alone;
    ``additive`` (A*) the best of a sum of per-modality logits, only where it is certified as an upper bound; ``fused``
    (F*) the best with all modalities. ``tag``/``value`` name the slice; both are "" for the whole set.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    chance: Score
    unimodal: dict[str, Score]
    fused: Score
    additive: Score | None = None
    spec_version: int
    tag: str = ""
    value: str = ""

    @property
    def best_unimodal(self) -> float:
        """U* = max over modalities of U*_m."""
        return max(self.unimodal.values())

    @property
    def gap(self) -> float:
        """F* - U*: the attainable fusion gain."""
        return self.fused - self.best_unimodal

    def phi(self, score: float) -> float | None:
        """Share of the attainable fusion gain, (s - U*)/(F* - U*); None where the gap is under 0.05.

        U* and F* are constants, so an interval of s maps to one of phi bound by bound.
        """
        return (score - self.best_unimodal) / self.gap if self.gap >= SMALLEST_GAP else None

    def psi(self, score: float) -> float | None:
        """(s - A*)/(F* - A*): above 0 it certifies interaction; None without a certified A* or a gap of 0.05."""
        if self.additive is None or self.fused - self.additive < SMALLEST_GAP:
            return None
        return (score - self.additive) / (self.fused - self.additive)

    def regret(self, score: float) -> float:
        """F* - s."""
        return self.fused - score
