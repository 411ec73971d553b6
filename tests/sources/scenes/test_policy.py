"""The best mean IoU over stochastic policies: closed forms, brute force, an independent optimiser."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.optimize import minimize

from mmbench.sources.scenes.policy import best_policy, mean_iou


def class_blind(k: int, foreground: float) -> np.ndarray:
    """Pixels of a scene whose objects show nothing of their class: rows background, object."""
    return np.array([[1 - foreground] + [0.0] * k, [0.0] + [foreground / k] * k])


@pytest.mark.parametrize("k", [2, 4, 8, 16])
def test_class_blind_objects_are_best_guessed_uniformly(k: int) -> None:
    """Foreground IoU 1/(2k-1), as the design has it; k = 4 with background gives .314."""
    found = best_policy(class_blind(k, 0.2))
    assert found.value == pytest.approx((1 + k / (2 * k - 1)) / (1 + k), abs=1e-7)
    assert found.rule[1, 1:] == pytest.approx(np.full(k, 1 / k), abs=1e-3)


@pytest.mark.parametrize(("foreground", "alone", "fused"), [(0.2, 0.662, 0.864), (0.12, 0.670, 0.868)])
def test_erased_objects_are_best_called_background(foreground: float, alone: float, fused: float) -> None:
    """The design's figures of regime E at erasure .4: abstaining beats guessing (.631 and .829 at area .2)."""
    for blank, expected in ((0.4, alone), (0.16, fused)):
        table = np.zeros((6, 5))
        table[0, 0] = 1 - foreground
        table[1, 1:] = foreground * blank / 4
        table[range(2, 6), range(1, 5)] = foreground * (1 - blank) / 4
        found = best_policy(table)
        assert found.value == pytest.approx(expected, abs=0.001)
        assert found.rule[1, 0] == pytest.approx(1)


def test_hidden_objects_cost_their_share() -> None:
    """Regime C at .35 and area .2: foreground IoU .65, mean IoU .704."""
    table = np.diag([0.8] + [0.2 * 0.65 / 4] * 4)
    table[0, 1:] = 0.2 * 0.35 / 4
    assert best_policy(table).value == pytest.approx(0.704, abs=0.001)


tables = arrays(np.int64, st.tuples(st.integers(1, 4), st.integers(2, 4)), elements=st.integers(0, 60)).filter(
    lambda table: table.sum() > 0
)


@settings(max_examples=40, deadline=None)
@given(table=tables)
def test_no_deterministic_policy_is_better(table: np.ndarray) -> None:
    """All label assignments are tried, on tables with empty classes and observations too."""
    areas = table.astype(float)
    found = best_policy(areas)
    observations, classes = areas.shape
    best = max(
        mean_iou(areas, np.eye(classes)[list(labels)]) for labels in product(range(classes), repeat=observations)
    )
    assert found.value >= best - 1e-6
    assert found.value == pytest.approx(mean_iou(areas, found.rule))
    assert 0 < found.value <= 1


@settings(max_examples=15, deadline=None)
@given(table=arrays(np.int64, (2, 3), elements=st.integers(0, 40)).filter(lambda t: (t.sum(axis=1) > 0).all()))
def test_no_stochastic_policy_on_a_grid_is_better(table: np.ndarray) -> None:
    """Brute force over steps of .05 of both observations' distributions over three labels."""
    areas = table.astype(float)
    points = [(a, b, 20 - a - b) for a in range(21) for b in range(21 - a)]
    simplex = np.array(points) / 20
    first, second = (simplex[i].reshape(-1, 3) for i in np.indices((len(simplex),) * 2))
    shared = first * areas[0] + second * areas[1]
    union = areas.sum(axis=0) + first * areas[0].sum() + second * areas[1].sum() - shared
    with np.errstate(invalid="ignore"):
        values = np.nanmean(np.where(union > 0, shared / union, np.nan), axis=1)
    assert best_policy(areas).value >= values.max() - 1e-6


@pytest.mark.parametrize("seed", range(4))
def test_an_independent_optimiser_finds_nothing_better(seed: int) -> None:
    """L-BFGS over softmax rules from ten random starts on 4 x 4 tables."""
    random = np.random.default_rng(seed)
    areas = random.gamma(0.5, size=(4, 4))

    def cost(logits: np.ndarray) -> float:
        shifted = np.exp(logits.reshape(4, 4) - logits.reshape(4, 4).max(axis=1, keepdims=True))
        return -mean_iou(areas, shifted / shifted.sum(axis=1, keepdims=True))

    found = max(-minimize(cost, 3 * random.normal(size=16), method="L-BFGS-B").fun for _ in range(10))
    assert best_policy(areas).value >= found - 1e-6


@settings(max_examples=40, deadline=None)
@given(table=tables, scale=st.integers(1, 1000))
def test_the_value_does_not_depend_on_the_unit_of_area(table: np.ndarray, scale: int) -> None:
    assert best_policy(table * float(scale)).value == pytest.approx(best_policy(table.astype(float)).value, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(table=tables)
def test_rules_are_probabilities(table: np.ndarray) -> None:
    rule = best_policy(table.astype(float)).rule
    assert (rule >= 0).all()
    assert rule.sum(axis=1)[table.sum(axis=1) > 0] == pytest.approx(1)
    assert not rule[:, table.sum(axis=0) == 0].any()
