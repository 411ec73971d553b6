"""What a probe sees of one modality: a short vector of what is simple to measure, or the picture itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmbench.sources.scenes import words
from mmbench.sources.scenes.audio import SLOT

Floats = NDArray[np.float32]

PICTURES = ("image", "plane")
_BANDS, _BINS = 48, 20  # of 10 Hz each, up to 480 Hz, in a clip of 2 s


def vector(kind: str, value: Any) -> Floats:
    """float32 [k] of a modality's value: what a picture's pixels, a clip's spectrum, a text's words are like."""
    if kind == "text":
        return _words(str(value))
    return _spectrum(value) if kind == "audio" else _texture(value)


def pixels(values: Sequence[NDArray[Any]]) -> Floats:
    """float32 [n,C,H,W] of pictures [h,w] or [h,w,C], each in the upper left of a frame that fits the largest."""
    height, width = (max(value.shape[axis] for value in values) for axis in (0, 1))
    channels = values[0].shape[2] if values[0].ndim == 3 else 1
    found = np.zeros((len(values), channels, height, width), dtype=np.float32)
    for place, value in enumerate(values):
        rows, columns = value.shape[:2]
        found[place, :, :rows, :columns] = value.reshape(rows, columns, channels).transpose(2, 0, 1)
    return found


def _texture(value: NDArray[Any]) -> Floats:
    """Mean and deviation, then along four directions the mean step, its mean size and its deviation."""
    grey = value.astype(np.float64).sum(axis=2) if value.ndim == 3 else value.astype(np.float64)
    steps = (
        grey[1:] - grey[:-1],
        grey[:, 1:] - grey[:, :-1],
        grey[1:, 1:] - grey[:-1, :-1],
        grey[1:, :-1] - grey[:-1, 1:],
    )
    told = [number for step in steps for number in (step.mean(), np.abs(step).mean(), step.std())]
    return np.array([grey.mean(), grey.std(), *told], dtype=np.float32)


def _spectrum(audio: NDArray[Any]) -> Floats:
    """Logarithm of the power in bands of 10 Hz, and the deviation in each slot."""
    power = np.abs(np.fft.rfft(audio)[: _BANDS * _BINS]) ** 2
    bands = np.log(power.reshape(_BANDS, _BINS).sum(axis=1) + 1e-9)
    return np.concatenate([bands, audio.reshape(-1, SLOT).std(axis=1)]).astype(np.float32)


def _words(text: str) -> Floats:
    """Which words occur, and which are the first two."""
    held, known = text.split(), words.vocabulary()
    first = [word == held[n] if n < len(held) else False for n in (0, 1) for word in known]
    return np.array([*(word in held for word in known), *first], dtype=np.float32)
