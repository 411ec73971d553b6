"""Calibration errors by the definition, by hand and at the edges of bins."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.metrics import calibration


def by_loop(rows: np.ndarray, bins: int) -> tuple[float, float]:
    """ECE and MCE written out: membership in (lower, upper] bin by bin; 0 belongs to the first."""
    total, widest = 0.0, 0.0
    for b in range(bins):
        inside = (rows[:, 0] > b / bins) & (rows[:, 0] <= (b + 1) / bins) | ((b == 0) & (rows[:, 0] == 0))
        if inside.any():
            gap = abs(rows[inside, 1].mean() - rows[inside, 0].mean())
            total += inside.mean() * gap
            widest = max(widest, gap)
    return total, widest


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 40), st.sampled_from([1, 4, 10, 15]), st.booleans(), st.integers(0, 10**6))
def test_against_the_definition(n: int, bins: int, on_edges: bool, seed: int) -> None:
    """Confidences anywhere, or all on the edges of the bins."""
    random = np.random.default_rng(seed)
    confidence = random.integers(0, bins + 1, n) / bins if on_edges else random.random(n)
    rows = calibration.confidence_rows(confidence, random.random(n) < confidence)
    sums = calibration.bin_rows(rows, bins).sum(axis=0)
    ece, mce = by_loop(rows, bins)
    assert calibration.ece(sums) == pytest.approx(ece, rel=1e-12, abs=1e-12)
    assert calibration.mce(sums) == pytest.approx(mce, rel=1e-12, abs=1e-12)


def test_top_label() -> None:
    """The highest probability, the lowest class of equal ones, and whether it is the target."""
    table = [[0.2, 0.8], [0.5, 0.5], [0.5, 0.5]]
    assert calibration.top_label(table, [1, 0, 1]).tolist() == [[0.8, 1], [0.5, 1], [0.5, 0]]


def test_by_hand() -> None:
    """Two bins: 0.9 sure and half right, 0.4 sure and always right."""
    rows = calibration.confidence_rows([0.9, 0.9, 0.4], [1, 0, 1])
    sums = calibration.bin_rows(rows, 2).sum(axis=0)
    assert calibration.ece(sums) == pytest.approx((2 * 0.4 + 0.6) / 3)
    assert calibration.mce(sums) == pytest.approx(0.6)
    assert calibration.bin_rows(rows).shape == (3, 45)


def test_perfect_and_empty() -> None:
    """Sure and right has no error; nothing has no value."""
    rows = calibration.confidence_rows([1.0, 1.0], [1, 1])
    assert calibration.ece(calibration.bin_rows(rows).sum(axis=0)) == 0
    assert calibration.mce(calibration.bin_rows(rows).sum(axis=0)) == 0
    assert calibration.adaptive_ece(rows) == 0
    assert np.isnan(calibration.ece(np.zeros(45)))
    assert np.isnan(calibration.mce(np.zeros(45)))
    assert np.isnan(calibration.adaptive_ece(rows[:0]))


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 12), st.sampled_from([1, 3, 5]), st.integers(0, 10**6))
def test_adaptive_bins_of_whole_samples(each: int, bins: int, seed: int) -> None:
    """Where the bins divide the samples and no two are equally sure, it is the sort cut into equal parts."""
    random = np.random.default_rng(seed)
    n = each * bins
    confidence = random.permutation(n) / n
    rows = calibration.confidence_rows(confidence, random.random(n) < 0.5)
    parts = rows[np.argsort(confidence)].reshape(bins, each, 2)
    expected = np.abs(parts[:, :, 0].mean(axis=1) - parts[:, :, 1].mean(axis=1)).mean()
    assert calibration.adaptive_ece(rows, bins=bins)[0] == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_adaptive_bins_share_a_sample() -> None:
    """Three samples in two bins: the middle one is half in each; equally sure samples are one lump."""
    rows = calibration.confidence_rows([0.2, 0.5, 0.8], [0, 1, 1])
    expected = (abs(0.2 + 0.25 - 0.5) + abs(0.25 + 0.8 - 1.5)) / 3
    assert calibration.adaptive_ece(rows, bins=2)[0] == pytest.approx(expected)
    lump = calibration.confidence_rows([0.5] * 4, [1, 1, 0, 0])
    assert calibration.adaptive_ece(lump, bins=2)[0] == 0
