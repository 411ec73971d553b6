"""From any integer array to the label map of a sample, or the reason why it is none."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmbench.core.errors import SampleError
from mmbench.core.prediction import LabelMap, check_labels


def label_map(
    sample_id: str, labels: NDArray[Any], size: tuple[int, int], classes: int, where: str = ""
) -> LabelMap | SampleError:
    """``labels`` (any integer type) as uint8, int16 above 255 classes; a SampleError for a wrong size or label.

    ``where`` (a file's name) goes before the reason.
    """
    try:
        check_labels(LabelMap(sample_id, labels), size, classes)
    except SampleError as error:
        return SampleError(f"{where}: {error}") if where else error
    return LabelMap(sample_id, labels.astype(np.uint8 if classes <= 255 else np.int16))
