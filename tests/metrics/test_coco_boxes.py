"""The statistic of boxes: targets by their corners are those of COCO's form."""

from __future__ import annotations

import numpy as np
import pytest

from mmbench.core.metric import TaskContext, metric_named
from mmbench.core.prediction import Detections
from mmbench.core.targets import Boxes, Objects
from mmbench.metrics.coco_objects import CocoBoxes
from mmbench.metrics.scoring import tables_of
from mmbench.metrics.weighing import GroupedTable, values_of

CONTEXT = TaskContext(("a", "b"), None)
CORNERS = np.array([[1, 2, 11, 22], [30, 30, 70, 80]], dtype=np.float32)
LABELS = np.array([0, 1])


def found(boxes: list[list[float]]) -> Detections:
    table = np.array(boxes, dtype=np.float64).reshape(-1, 4)
    ones = np.ones(len(table))
    return Detections("x", ones, np.zeros(len(table), dtype=np.int64), ones, table)


def test_boxes_by_corners_give_the_rows_of_boxes_by_sizes() -> None:
    """10 x 20 and 40 x 50 pixels, one small and one medium; the first is found."""
    sizes = np.array([[1, 2, 10, 20], [30, 30, 40, 50]], dtype=np.float64)
    none, all_ = np.zeros(2, dtype=np.bool_), np.ones(2, dtype=np.bool_)
    objects = Objects(LABELS, np.array([200.0, 2000.0]), none, none, all_, sizes)
    predictions = [found([[1, 2, 10, 20]])]
    rows = [CocoBoxes().rows([target], predictions, CONTEXT) for target in (Boxes(CORNERS, LABELS), objects)]
    assert np.array_equal(rows[0].values, rows[1].values)
    assert np.array_equal(rows[0].starts, rows[1].starts)


@pytest.mark.parametrize(("box", "expected"), [([1, 2, 10, 20], 0.5), ([1, 2, 11, 22], 0.35), ([50, 50, 5, 5], 0.0)])
def test_average_precision_of_boxes_by_corners(box: list[float], expected: float) -> None:
    """One of two classes found: at all ten IoU, at those up to 200/242 = .826 (seven), at none."""
    tables = tables_of([Boxes(CORNERS, LABELS)], [found([box])], ["coco_boxes"], CONTEXT)
    grouped = {name: GroupedTable.of(table, np.zeros(1, dtype=np.int64)) for name, table in tables.items()}
    assert values_of(grouped, [metric_named("ap_100")], CONTEXT)["ap_100"][0] == pytest.approx(expected)


def test_an_image_without_boxes_is_scored() -> None:
    empty = Boxes(np.zeros((0, 4), dtype=np.float32), np.zeros(0, dtype=np.int64))
    assert len(CocoBoxes().rows([empty], [found([])], CONTEXT)) == 1
