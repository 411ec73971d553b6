"""The audio rendering: exact in float32, equally loud whatever the pitch, nothing but what the clip holds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.sources.scenes.audio import LOUDNESS, PILOTS, PITCHES, RATE, SAMPLES, Clip, Tone, render
from mmbench.sources.scenes.label_laws import PAIR_LAWS, TRIPLE_LAWS
from mmbench.sources.scenes.regimes import BLANK

words = st.integers(0, 2**32 - 1)
tones = st.builds(
    Tone,
    st.sampled_from([BLANK, 0, 1, 2, 3]),
    st.integers(0, SAMPLES - 6400),
    st.sampled_from([2400, 6400]),
    st.integers(*LOUDNESS),
    words,
)


@settings(max_examples=40, deadline=None)
@given(cue=st.integers(0, 12), sound=tones, hiss=words, hum=words)
def test_samples_are_sixteen_bit_and_never_clipped(cue: int, sound: Tone, hiss: int, hum: int) -> None:
    audio = render(Clip(cue, (sound,), hiss, hum))
    steps = audio.astype(np.float64) * 32_768
    assert (audio.dtype, audio.shape) == (np.float32, (32_000,))
    assert np.array_equal(steps, np.round(steps))
    assert np.abs(audio).max() < 1


@settings(max_examples=20, deadline=None)
@given(sound=tones, hiss=words, hum=words)
def test_outside_of_a_tone_there_is_only_the_floor(sound: Tone, hiss: int, hum: int) -> None:
    bare, full = (render(Clip(0, sounds, hiss, hum)) for sounds in ((), (sound,)))
    outside = np.ones(SAMPLES, dtype=bool)
    outside[sound.onset : sound.onset + sound.length] = False
    assert np.array_equal(bare[outside], full[outside])
    assert not np.array_equal(bare, full)
    assert np.sqrt((bare**2).mean()) < 0.02


def loudness(pitch: int) -> float:
    """Mean square of a tone over 50 phases, without the floor."""
    clips = [(Tone(pitch, 4000, 6400, 12_000, phase << 26),) for phase in range(50)]
    bare = render(Clip(0, (), 5, 9))
    return float(np.mean([((render(Clip(0, clip, 5, 9)) - bare) ** 2).mean() for clip in clips]))


def test_all_pitches_and_noise_are_equally_loud() -> None:
    assert [loudness(pitch) / loudness(0) for pitch in (1, 2, 3)] == pytest.approx([1] * 3, rel=0.01)
    assert loudness(BLANK) / loudness(0) == pytest.approx(1, rel=0.06)


@pytest.mark.parametrize("pitch", range(4))
def test_a_tone_has_its_pitch(pitch: int) -> None:
    audio = render(Clip(0, (Tone(pitch, 8000, 6400, 10_000, 77),), 1, 2))[8000:14_400]
    spectrum = np.abs(np.fft.rfft(audio))
    assert spectrum.argmax() * RATE / 6400 == pytest.approx(PITCHES[pitch], abs=RATE / 6400)


def test_every_regime_has_a_pilot_of_its_own() -> None:
    """Well apart from one another and from the tones, below half the rate."""
    cues = {law.cue for law in (*PAIR_LAWS.values(), *TRIPLE_LAWS.values())}
    found = set()
    for cue in cues:
        spectrum = np.abs(np.fft.rfft(render(Clip(cue, (Tone(3, 0, 6400, 15_000, 0),), 3, 4))))
        high = int(1000 / (RATE / SAMPLES))
        found.add(round((spectrum[high:].argmax() + high) * RATE / SAMPLES))
    assert found == {PILOTS[cue] for cue in cues}
    assert max(PILOTS[cue] for cue in cues) < RATE / 2
