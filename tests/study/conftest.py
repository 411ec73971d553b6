"""What the tests of studies share: made trainings that are right on made samples."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from mmbench.stats.jackknife import Jackknife, leave_one_out
from mmbench.study.design import Control, Strategy
from mmbench.study.table import Cost, Measured

MODALITIES = ("image", "text")


def shares(right: np.ndarray) -> tuple[Jackknife, ...]:
    """Trainings [K,n] that are right (1) or wrong (0) on n samples, as jackknives of their accuracy."""
    found = []
    for row in right.astype(np.float64):
        sums = leave_one_out(np.stack([row, np.ones(len(row))], axis=1))
        found.append(Jackknife(float(row.mean()), sums[:, 0] / sums[:, 1]))
    return tuple(found)


def drawn(rates: list[float], samples: int, seed: int) -> np.ndarray:
    """bool [K,n]: trainings that are right at these rates, on samples some of which are hard for all of them."""
    random = np.random.default_rng(seed)
    hard = random.uniform(size=samples)
    own = random.uniform(size=(len(rates), samples))
    return 0.5 * hard + 0.5 * own < np.array([_threshold(rate) for rate in rates])[:, None]


def _threshold(rate: float) -> float:
    """Where the mean of two uniforms is below with this probability."""
    return float(np.sqrt(rate / 2) if rate <= 0.5 else 1 - np.sqrt((1 - rate) / 2))


def measured(
    name: str,
    right: np.ndarray,
    *,
    control: Control = "",
    validation: float = 0.5,
    by_labels: tuple[tuple[int, float], ...] = (),
) -> Measured:
    """A strategy whose trainings were right on these samples."""
    strategy = Strategy(name, name, MODALITIES, control)
    return Measured(strategy, shares(right), validation, Cost(100, 1000, 0.5), by_labels)


@pytest.fixture
def made() -> SimpleNamespace:
    """``drawn(rates, samples, seed)`` and ``measured(name, right, ...)``."""
    return SimpleNamespace(drawn=drawn, measured=measured)
