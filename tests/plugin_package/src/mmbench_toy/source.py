"""A source: pictures whose bright half is class 1."""

from __future__ import annotations

import numpy as np

from mmbench.core.registry import source
from mmbench.core.sample import Sample
from mmbench.core.source import Modality


@source("toy-halves")
class Halves:
    """Eight pictures, left or right half bright."""

    @classmethod
    def open(cls, request):  # noqa: ARG003  it has no options
        return cls()

    classes = ("dark", "bright")
    ignore = None
    ids = tuple(f"p{i}" for i in range(8))

    @property
    def modalities(self):
        return {"rgb": Modality("rgb", "image", 3)}

    def load(self, sample_id):
        target = np.zeros((4, 6), np.uint8)
        target[:, :3] = int(sample_id[1:]) % 2
        return Sample(sample_id, {"rgb": np.repeat(target[..., None] * 255, 3, axis=2)}, target)

    def stamp(self, sample_id):
        return "1"

    def stratum(self, sample_id):
        return ""
