"""From what a decoder or a policy says of a sample to the prediction that is scored."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from mmbench.core.parts import of_part
from mmbench.core.prediction import ClassScores, Detections, Joint, LabelMap, Prediction, Single, Text
from mmbench.sources.scenes.tasks.detection import Found


def prediction_of(sample_id: str, found: Any, classes: Sequence[str]) -> Prediction:
    """A label map or mask [H, W], ``Found``, a text, or a class of ``classes`` (its score is 1, that of others 0).

    By task, where there are several. Raises TypeError on anything else.
    """
    if isinstance(found, dict):
        return Joint(sample_id, {task: _single(sample_id, own, of_part(classes, task)) for task, own in found.items()})
    return _single(sample_id, found, classes)


def _single(sample_id: str, found: Any, classes: Sequence[str]) -> Single:
    if isinstance(found, str):
        return Text(sample_id, found)
    if isinstance(found, np.ndarray):
        return LabelMap(sample_id, found)
    if isinstance(found, Found):
        return Detections.of_corners(sample_id, found.boxes, found.scores, found.labels)
    if isinstance(found, int):
        return ClassScores(sample_id, np.eye(len(classes), dtype=np.float32)[found])
    raise TypeError(f"a {type(found).__name__} is no prediction of one task")
