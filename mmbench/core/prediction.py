"""Predictions: aligned to samples by id, never by order; one kind per task, ``Joint`` for several tasks at once."""

from __future__ import annotations

import io
import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

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


@dataclass(frozen=True, slots=True)
class ClassScores:
    """Scores of the classes, float32 [C], the highest is predicted; logits or probabilities, as the metric says."""

    kind: ClassVar[str] = "scores"
    sample_id: str
    scores: NDArray[np.float32]

    def encode(self) -> bytes:
        """float32, little-endian."""
        return self.scores.astype("<f4").tobytes()

    @classmethod
    def decode(cls, sample_id: str, payload: bytes) -> ClassScores:
        """The inverse of ``encode``."""
        return cls(sample_id, np.frombuffer(payload, dtype="<f4").astype(np.float32))


@dataclass(frozen=True, slots=True)
class Text:
    """A caption or an answer; ``confidence`` where the task asks for one."""

    kind: ClassVar[str] = "text"
    sample_id: str
    text: str
    confidence: float | None = None

    def encode(self) -> bytes:
        """JSON."""
        return json.dumps([self.text, self.confidence]).encode()

    @classmethod
    def decode(cls, sample_id: str, payload: bytes) -> Text:
        """The inverse of ``encode``."""
        text, confidence = json.loads(payload)
        return cls(sample_id, text, confidence)


@dataclass(frozen=True, slots=True, eq=False)
class Detections:
    """Detected objects of an image, N of them.

    ``scores`` float64 [N]; ``labels`` int64 [N]; ``areas`` float64 [N], pixels. ``boxes`` float64 [N,4] left, top,
    width, height in pixels (COCO's form, so that its scorer's figures come out to the last digit). ``masks``: COCO's
    compressed run lengths ({"size": [H, W], "counts": str}); ``keypoints`` float64 [N,K,3] x, y, visibility. What a
    task does not need is None.
    """

    kind: ClassVar[str] = "detections"
    sample_id: str
    scores: NDArray[np.float64]
    labels: NDArray[np.int64]
    areas: NDArray[np.float64]
    boxes: NDArray[np.float64] | None = None
    masks: tuple[Mapping[str, Any], ...] | None = None
    keypoints: NDArray[np.float64] | None = None

    @classmethod
    def of_corners(
        cls, sample_id: str, corners: NDArray[Any], scores: NDArray[Any], labels: NDArray[Any]
    ) -> Detections:
        """From boxes [N,4] as x1, y1, x2, y2."""
        corners = np.asarray(corners, dtype=np.float64).reshape(-1, 4)
        sizes = corners[:, 2:] - corners[:, :2]
        boxes = np.concatenate([corners[:, :2], sizes], axis=1)
        return cls(sample_id, np.asarray(scores, np.float64), np.asarray(labels, np.int64), sizes.prod(axis=1), boxes)

    def encode(self) -> bytes:
        """Arrays and run lengths, compressed."""
        arrays = {"scores": self.scores, "labels": self.labels, "areas": self.areas}
        arrays |= {n: a for n, a in (("boxes", self.boxes), ("keypoints", self.keypoints)) if a is not None}
        if self.masks is not None:
            arrays["masks"] = np.frombuffer(json.dumps([dict(mask) for mask in self.masks]).encode(), dtype=np.uint8)
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, **arrays)
        return zlib.compress(file.getvalue(), 1)

    @classmethod
    def decode(cls, sample_id: str, payload: bytes) -> Detections:
        """The inverse of ``encode``."""
        with np.load(io.BytesIO(zlib.decompress(payload)), allow_pickle=False) as found:
            masks = tuple(json.loads(found["masks"].tobytes())) if "masks" in found else None
            columns = (found["scores"], found["labels"], found["areas"], found.get("boxes"))
            return cls(sample_id, *columns, masks, found.get("keypoints"))


# The prediction of one task.
Single = LabelMap | ClassScores | Text | Detections
_SINGLE: dict[str, type[LabelMap] | type[ClassScores] | type[Text] | type[Detections]] = {
    kind.kind: kind for kind in (LabelMap, ClassScores, Text, Detections)
}


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """The predictions of several tasks on one sample, by task: ``{"classification": ClassScores, "vqa": Text}``."""

    kind: ClassVar[str] = "joint"
    sample_id: str
    parts: Mapping[str, Single]

    def encode(self) -> bytes:
        """A line of JSON (task, kind and length of each part), then the parts' bytes one after the other."""
        payloads = {task: part.encode() for task, part in self.parts.items()}
        head = [[task, self.parts[task].kind, len(payload)] for task, payload in payloads.items()]
        return json.dumps(head).encode() + b"\n" + b"".join(payloads.values())

    @classmethod
    def decode(cls, sample_id: str, payload: bytes) -> Joint:
        """The inverse of ``encode``."""
        head, _, body = payload.partition(b"\n")
        parts, start = {}, 0
        for task, kind, length in json.loads(head):
            parts[task] = _SINGLE[kind].decode(sample_id, body[start : start + length])
            start += length
        return cls(sample_id, parts)


Prediction = Single | Joint
KINDS: dict[str, type[LabelMap] | type[ClassScores] | type[Text] | type[Detections] | type[Joint]] = {
    **_SINGLE,
    Joint.kind: Joint,
}


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
