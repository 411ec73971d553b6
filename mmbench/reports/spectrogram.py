"""A recording as a picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_WINDOW = 2048  # samples: at 16 kHz 128 ms, which tells 220 from 277 Hz
_STEPS = 240  # columns
_ROWS = 120
_LOWEST = 80.0  # Hz
_RANGE = 70.0  # dB below the loudest


def spectrogram(audio: NDArray[np.floating], rate: int) -> NDArray[np.uint8]:
    """uint8 [120, 240] of float [T]: time runs to the right, frequency upwards from 80 Hz to half the rate, in octaves.

    Power of a short-time Fourier transform (Hann window of 2,048 samples); the loudest is white, 70 dB below it black.
    """
    padded = np.pad(audio.astype(np.float64), _WINDOW // 2)
    starts = np.linspace(0, max(0, len(padded) - _WINDOW), _STEPS).astype(np.int64)
    frames = padded[starts[:, None] + np.arange(_WINDOW)] * np.hanning(_WINDOW)
    power = np.abs(np.fft.rfft(frames, axis=1)) ** 2
    bins = np.geomspace(_LOWEST, rate / 2, _ROWS) * _WINDOW / rate
    shown = power[:, np.clip(bins.round().astype(np.int64), 0, _WINDOW // 2)].T[::-1]
    loudest = float(shown.max())
    if not loudest > 0 or not np.isfinite(loudest):
        return np.zeros(shown.shape, dtype=np.uint8)
    level = 10 * np.log10(np.maximum(shown / loudest, 10 ** (-_RANGE / 10)))
    return ((level / _RANGE + 1) * 255).round().astype(np.uint8)


def loudest(audio: NDArray[np.floating], rate: int) -> float:
    """The strongest frequency of the whole recording, Hz; 0 for silence. Neighbouring tones look alike in a picture."""
    if not len(audio):
        return 0.0
    return float(np.abs(np.fft.rfft(audio.astype(np.float64))).argmax()) * rate / len(audio)
