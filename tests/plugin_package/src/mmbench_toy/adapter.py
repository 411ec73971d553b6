"""An adapter: ``toy:THRESHOLD`` is a model that calls bright what is at least that bright."""

from __future__ import annotations

import numpy as np

from mmbench.core.model import ModelInfo
from mmbench.core.prediction import LabelMap
from mmbench.core.registry import adapter


@adapter("toy")
def open_toy(request):
    """A threshold on the red channel."""
    return Threshold(request.locator, int(request.target))


class Threshold:
    def __init__(self, locator, threshold):
        self.threshold = threshold
        self.info = ModelInfo(f"threshold-{threshold}", locator, "segmentation", ("rgb",), f"t{threshold}")

    def predict(self, batch):
        maps = [(image[..., 0] >= self.threshold).astype(np.uint8) for image in batch.inputs["rgb"]]
        return [LabelMap(i, labels) for i, labels in zip(batch.ids, maps, strict=True)]
