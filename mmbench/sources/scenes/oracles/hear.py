"""Reads a recording: the regime's cue from the pilot tone, the pitch of each sound by correlation with the four."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmbench.sources.scenes.audio import PILOTS, PITCHES, RATE, SAMPLES
from mmbench.sources.scenes.regimes import BLANK
from mmbench.sources.scenes.scene import PRIMARY

_BLOCK = 400  # samples over which loudness is measured: 25 ms
_LOUD = 0.03  # root mean square; noise and pilot tone have .011, the faintest tone .19
_SHARE = 0.5  # of a sound's energy that its pitch must have to be a tone


class Recording(NamedTuple):
    """What is heard: the cue and the pitch of each sound (BLANK for noise) in the order of time."""

    cue: int
    pitches: tuple[int, ...]


def listen(audio: NDArray[np.float32]) -> Recording:
    """Reads float32 [32000] at 16 kHz; a sound that crosses the middle of the clip counts as two."""
    half = SAMPLES // 2
    pitches = [_pitch(sound) for part in (audio[:half], audio[half:]) for sound in _sounds(part)]
    # Bins of the whole clip are RATE / SAMPLES Hz apart.
    pilots = np.abs(np.fft.rfft(audio))[[frequency * SAMPLES // RATE for frequency in PILOTS]]
    return Recording(int(pilots.argmax()), tuple(pitches))


def signature(audio: NDArray[np.float32], signatures: int) -> int:
    """What a recording shows by one tone or, for more than four signatures, by one in each half."""
    half = SAMPLES // 2
    if signatures <= PRIMARY:
        return _pitch(audio[_loud(audio)])
    first, second = (_pitch(part[_loud(part)]) for part in (audio[:half], audio[half:]))
    return first + PRIMARY * second


def count(audio: NDArray[np.float32]) -> int:
    """Number of sounds that stand apart."""
    return len(_sounds(audio))


def _loud(audio: NDArray[np.float32]) -> NDArray[np.bool_]:
    """bool [T]: where it is loud, in blocks."""
    energy = (audio.reshape(-1, _BLOCK) ** 2).mean(axis=1)
    return np.repeat(energy > _LOUD**2, _BLOCK)


def _sounds(audio: NDArray[np.float32]) -> list[NDArray[np.float32]]:
    edges = np.flatnonzero(np.diff(_loud(audio).astype(np.int8), prepend=0, append=0))
    return [audio[begin:end] for begin, end in edges.reshape(-1, 2).tolist()]


def _pitch(sound: NDArray[np.float32]) -> int:
    power = np.abs(_waves()[:, : len(sound)] @ sound / len(sound)) ** 2
    # A sine of power P gives P/2 of its mean square in the correlation with one complex wave.
    return int(power.argmax()) if 2 * power.max() > _SHARE * float((sound**2).mean()) else BLANK


@cache
def _waves() -> NDArray[np.complex64]:
    """complex64 [4, 32000]: a complex wave of each pitch."""
    time = np.arange(SAMPLES) / RATE
    waves: NDArray[np.complex64] = np.exp(-2j * np.pi * np.outer(PITCHES, time)).astype(np.complex64)
    return waves
