"""Referring segmentation against the loop of the field's evaluation code."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mmbench.core.errors import SampleError
from mmbench.metrics.referring import (
    THRESHOLDS,
    WIDTH,
    mean_iou,
    overall_iou,
    precision_at,
    referring_row,
    row_of_areas,
)

MASKS = hnp.arrays(np.bool_, st.just((2, 3)))
SAMPLES = st.lists(st.tuples(MASKS, MASKS), min_size=1, max_size=12)


def by_loop(samples: list[tuple[np.ndarray, np.ndarray]]) -> tuple[float, float, list[float]]:
    """oIoU, mIoU and P@X one sample at a time, IoU 0 where the union is empty."""
    total, together, ious = 0, 0, []
    for target, found in samples:
        intersection, union = int((target & found).sum()), int((target | found).sum())
        total, together = total + intersection, together + union
        ious.append(intersection / union if union else 0.0)
    overall = total / together if together else float("nan")
    return overall, float(np.mean(ious)), [float(np.mean([iou >= t for iou in ious])) for t in THRESHOLDS]


@given(SAMPLES, st.sampled_from(["?", "u1", "i8"]))
def test_values_equal_the_loop(samples: list[tuple[np.ndarray, np.ndarray]], dtype: str) -> None:
    """Values of summed rows are the official ones; bool masks and masks of 0 and 1 are the same masks."""
    rows = np.stack([referring_row(t.astype(dtype), p.astype(dtype), "a") for t, p in samples])
    assert rows.dtype == np.int64
    assert rows.shape[1] == WIDTH
    sums = rows.sum(axis=0).astype(np.float64)
    overall, mean, precisions = by_loop(samples)
    assert overall_iou(sums) == pytest.approx(overall, abs=1e-12, nan_ok=True)
    assert mean_iou(sums) == pytest.approx(mean, abs=1e-12)
    assert [float(precision_at(sums, t)) for t in THRESHOLDS] == pytest.approx(precisions, abs=1e-12)


def test_values_keep_leading_axes() -> None:
    """Many draws at once give one value each; a draw of nothing is undefined."""
    rows = np.stack([row_of_areas(1, 2), row_of_areas(3, 4)])
    sums = np.array([[1, 1], [2, 0], [0, 0]]).astype(np.float64) @ rows
    assert overall_iou(sums) == pytest.approx([4 / 6, 1 / 2, np.nan], nan_ok=True)
    assert mean_iou(sums) == pytest.approx([0.625, 0.5, np.nan], nan_ok=True)
    assert precision_at(sums, 0.6) == pytest.approx([0.5, 0, np.nan], nan_ok=True)


@pytest.mark.parametrize(("target", "found", "iou"), [(0, 0, 0.0), (0, 1, 0.0), (1, 0, 0.0), (1, 1, 1.0)])
def test_empty_masks(target: int, found: int, iou: float) -> None:
    """Nothing found where nothing is counts as a miss; a false find enlarges the union."""
    row = referring_row(np.full((2, 2), target), np.full((2, 2), found), "a")
    assert mean_iou(row.astype(np.float64)) == iou
    assert row[2] == (4 if target or found else 0)
    assert row[4:].tolist() == [int(iou)] * 5


def test_a_large_mask_does_not_overflow() -> None:
    """The IoU in units of 2**-40 is right where the areas times 2**40 would pass 64 bits."""
    row = row_of_areas(3_000_000_000, 4_000_000_000)
    assert row[3] / 2**40 == 0.75


def test_broken_samples() -> None:
    """Unequal sizes and fractions are refused with the sample's id."""
    mask = np.zeros((2, 3), np.bool_)
    with pytest.raises(SampleError, match=r"'img' has size \(3, 2\), expected \(2, 3\)"):
        referring_row(mask, mask.T, "img")
    with pytest.raises(SampleError, match="prediction of 'img' holds float64"):
        referring_row(mask, mask.astype(np.float64), "img")
