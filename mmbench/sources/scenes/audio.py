"""The audio rendering: the signature is the pitch of a tone. 16 kHz, 2 s, ten slots of .2 s.

All sums are integers in 1/32768, so that float32 holds them exactly. Under the tones lie a faint noise and a steady
pilot tone, whose pitch tells the regime.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmbench.core.streams import BELL
from mmbench.sources.scenes.regimes import BLANK
from mmbench.sources.scenes.stream import Draws
from mmbench.sources.scenes.waves import FULL, PHASE_BITS, noise_table, tone

RATE = 16_000
SAMPLES = 2 * RATE
SLOT = RATE // 5
SLOTS = SAMPLES // SLOT
PITCHES = (220, 277, 330, 440)  # Hz
LOUDNESS = (9_000, 15_000)  # amplitude of a tone, in 1/32768

FLOOR = 60  # standard deviation of the noise, in 1/32768
PILOT = 500  # amplitude of the pilot tone
PILOTS = tuple(2_000 + 300 * cue for cue in range(16))  # Hz, by Law.cue

_EDGE = 160  # samples over which a tone swells and fades: 10 ms
_UNIT = np.float32(1 / 32_768)


class Tone(NamedTuple):
    """A sound: ``pitch`` index into PITCHES, or BLANK for a burst of noise as loud; the rest in samples and 1/32768.

    ``start`` is the phase of a tone and the place in the noise table of a burst, 0..2**32-1.
    """

    pitch: int
    onset: int
    length: int
    loudness: int
    start: int


class Clip(NamedTuple):
    """The latents of a recording. ``hiss`` and ``hum`` place the noise and the pilot tone, 0..2**32-1."""

    cue: int
    tones: tuple[Tone, ...]
    hiss: int
    hum: int


def word(draws: Draws) -> int:
    """An integer 0..2**32-1, of which every bit is random."""
    return draws.below(1 << PHASE_BITS)


def loudness(draws: Draws) -> int:
    """The amplitude of a tone."""
    return draws.between(*LOUDNESS)


def render(clip: Clip) -> NDArray[np.float32]:
    """float32 [32000] in -1..1."""
    heard = _floor(clip.hiss) + (tone(PILOTS[clip.cue], clip.hum, SAMPLES, RATE) * PILOT >> 15)
    for sound in clip.tones:
        heard[sound.onset : sound.onset + sound.length] += _sound(sound)
    return heard.astype(np.float32) * _UNIT


def _floor(place: int) -> NDArray[np.int32]:
    return _noise(place, SAMPLES) * FLOOR // BELL


def _noise(place: int, samples: int) -> NDArray[np.int32]:
    """A window of the noise table, standard deviation 209."""
    table = noise_table()
    begin = place % (len(table) - samples)
    return table[begin : begin + samples].astype(np.int32)


def _sound(sound: Tone) -> NDArray[np.int32]:
    if sound.pitch == BLANK:
        # Clipped noise of this width is as loud as a sine of that amplitude.
        wave = np.clip(_noise(sound.start, sound.length) * (FULL * 93 // 100) // BELL, -FULL, FULL)
    else:
        wave = tone(PITCHES[sound.pitch], sound.start, sound.length, RATE)
    return ((wave * sound.loudness >> 15) * _envelope(sound.length)) >> 8


@lru_cache(maxsize=32)
def _envelope(length: int) -> NDArray[np.int32]:
    """int32 [length], 0..256: rises and falls in a straight line over 10 ms."""
    place = np.arange(length)
    edge = np.minimum(np.minimum(place, length - 1 - place), _EDGE)
    return (edge * 256 // _EDGE).astype(np.int32)
