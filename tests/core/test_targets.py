"""Targets of detection: shapes that agree or an error."""

from __future__ import annotations

import numpy as np
import pytest

from mmbench.core.targets import Boxes


@pytest.mark.parametrize(("boxes", "labels"), [((2, 4), (1,)), ((2, 3), (2,)), ((4,), (1,)), ((1, 4), (1, 1))])
def test_boxes_and_labels_must_agree(boxes, labels):
    with pytest.raises(ValueError, match=r"expected boxes \[N, 4\] and labels \[N\]"):
        Boxes(np.zeros(boxes, np.float32), np.zeros(labels, np.int64))


def test_an_image_may_hold_no_object():
    assert len(Boxes(np.zeros((0, 4), np.float32), np.zeros(0, np.int64)).labels) == 0
