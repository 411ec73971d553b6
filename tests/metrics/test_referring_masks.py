"""The registered metrics of referring segmentation are the pure functions over one mask per expression."""

from __future__ import annotations

import numpy as np
import pytest

from mmbench.core.errors import SampleError
from mmbench.core.metric import TaskContext
from mmbench.core.prediction import LabelMap, Text
from mmbench.metrics.referring import THRESHOLDS
from mmbench.metrics.referring_masks import Referring
from mmbench.metrics.scoring import row_of, statistic_widths

NAMES = ("oiou", "mean_iou", "p50", "p60", "p70", "p80", "p90")
CONTEXT = TaskContext((), None)
RANDOM = np.random.default_rng(3)
TARGETS = [(RANDOM.random((7, 9)) < rate).astype(np.uint8) for rate in (0.5, 0.1, 0.9, 0.4, 0.6, 0.0)]
# One mask is found exactly, the others lose from nothing to nearly all of it.
FOUND = [t & (RANDOM.random((7, 9)) < rate) for t, rate in zip(TARGETS, (1.0, 0.9, 0.8, 0.6, 0.1, 1.0), strict=True)]


def by_loop(counts) -> list[float]:
    """Sample by sample, as often as each is there; an empty union is IoU 0."""
    pairs = [(t > 0, f > 0) for t, f, n in zip(TARGETS, FOUND, counts, strict=True) for _ in range(n)]
    both, either = (np.array([fn(t, f).sum() for t, f in pairs]) for fn in (np.logical_and, np.logical_or))
    ious = np.divide(both, either, out=np.zeros(len(pairs)), where=either > 0)
    return [both.sum() / either.sum(), ious.mean(), *((ious >= t).mean() for t in THRESHOLDS)]


@pytest.mark.parametrize("counts", [[1, 1, 1, 1, 1, 1], [2, 0, 1, 3, 1, 1]])
def test_values_and_weights(scored, counts) -> None:
    """Any label but 0 is the object; weights are repetitions."""
    predictions = [LabelMap(str(i), (7 * found).astype(np.int16)) for i, found in enumerate(FOUND)]
    found = scored(NAMES, TARGETS, predictions)
    values, literal = found.values([counts]), found.repeated(counts)
    assert [float(values[name][0]) for name in NAMES] == pytest.approx(by_loop(counts), abs=1e-11)
    assert [values[name][0] for name in NAMES] == pytest.approx([literal[name][0] for name in NAMES], abs=1e-12)
    assert len({round(float(values[name][0]), 6) for name in NAMES}) > 3


def test_a_row_is_counted_in_the_loop() -> None:
    """It is a row statistic: of fixed width, one sample at a time, without classes."""
    assert statistic_widths(["referring"], CONTEXT) == {"referring": 9}
    row = row_of(TARGETS[0], LabelMap("x", TARGETS[0]), ["referring"], CONTEXT)["referring"]
    assert (row.dtype, row.shape) == (np.int64, (9,))
    assert Referring().support(row[None], CONTEXT).shape == (0,)
    assert Referring().absent(row[None], CONTEXT) == 0


@pytest.mark.parametrize(
    ("prediction", "message"),
    [(Text("x", "a"), "'x' is text, expected a mask"), (LabelMap("x", TARGETS[0][:3]), r"'x' has size \(3, 9\)")],
)
def test_what_cannot_be_scored(prediction, message: str) -> None:
    with pytest.raises(SampleError, match=message):
        Referring().row(TARGETS[0], prediction, CONTEXT)
