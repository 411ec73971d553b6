"""Changes of audio, float32 [T] in -1..1."""

from __future__ import annotations

import math

import numpy as np

from mmbench.conditions.stream import Stream
from mmbench.core.sample import Array
from mmbench.core.source import Modality

_FULL = 1 << 15  # noise is added in 16-bit steps, so that sums are exact
# Noise in thousandths of the signal's root mean square, by signal-to-noise ratio in dB: 1000 * 10 ** (-dB / 20).
NOISE: dict[int, int] = {20: 100, 15: 178, 10: 316, 5: 562, 0: 1000}


def snr(value: Array, level: int, stream: Stream, modality: Modality) -> Array:  # noqa: ARG001
    """White noise at a signal-to-noise ratio of ``level`` dB over the whole clip; the sum is clipped to -1..1."""
    steps = np.rint(value.astype(np.float64) * _FULL).astype(np.int64)
    power = int((steps * steps).sum()) // max(1, len(steps))
    # A thousandth of a step is kept: the root of a faint signal is small.
    loudness = math.isqrt(power * 1_000_000) * NOISE[level] // 1000
    noisy = steps + stream.noise(len(steps), loudness) // 1000
    return np.asarray(np.clip(noisy, -_FULL, _FULL) / _FULL, dtype=np.float32)


def clip(value: Array, level: int, stream: Stream, modality: Modality) -> Array:  # noqa: ARG001
    """All above ``level`` in 100 of the loudest sample is cut off."""
    most = np.float32(np.abs(value).max(initial=0)) * np.float32(level) / np.float32(100)
    return np.asarray(np.clip(value, -most, most), dtype=np.float32)


def offset(value: Array, level: int, stream: Stream, modality: Modality) -> Array:
    """The recording begins ``level`` milliseconds early or late (one of them at random); silence fills the gap."""
    shift = min(len(value), modality.rate * level // 1000)
    silence, kept = np.zeros(shift, dtype=np.float32), len(value) - shift
    early = bool(stream.hits(1, 50)[0])
    return np.concatenate([value[shift:], silence] if early else [silence, value[:kept]]).astype(np.float32)
