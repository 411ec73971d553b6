"""Predictions: aligned to samples by id, never by order; one kind per task."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mmbench.core.errors import SampleError


@dataclass(frozen=True, slots=True)
class LabelMap:
    """A predicted label map, uint8 or int16 [H,W], class indices from 0."""

    kind: ClassVar[str] = "labels"
    sample_id: str
    labels: NDArray[np.integer]

    def encode(self) -> bytes:
        """Compressed bytes for the journal; ``decode`` gives back the same dtype, shape and values."""
        height, width = self.labels.shape
        head = f"{self.labels.dtype.str} {height} {width}\n".encode()
        return head + zlib.compress(np.ascontiguousarray(self.labels).tobytes(), 1)

    @classmethod
    def decode(cls, sample_id: str, payload: bytes) -> LabelMap:
        """The inverse of ``encode``."""
        head, _, body = payload.partition(b"\n")
        dtype, height, width = head.decode().split()
        labels = np.frombuffer(zlib.decompress(body), dtype=np.dtype(dtype)).reshape(int(height), int(width))
        return cls(sample_id, labels)


# A union once there are more kinds of prediction than label maps.
Prediction = LabelMap


def check_labels(prediction: LabelMap, size: tuple[int, int], classes: int) -> None:
    """Raises SampleError unless the map has the target's size and only labels 0..classes-1."""
    labels = prediction.labels
    if labels.shape != size:
        raise SampleError(
            f"The prediction of {prediction.sample_id!r} has size {labels.shape}, expected {size}; "
            "predict at the size of the label map."
        )
    if labels.size and (int(labels.min()) < 0 or int(labels.max()) >= classes):
        raise SampleError(
            f"The prediction of {prediction.sample_id!r} holds labels {int(labels.min())}..{int(labels.max())}, "
            f"expected 0..{classes - 1}."
        )
