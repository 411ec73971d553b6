"""The spectrogram: a tone is a bright line at its frequency, at its time."""

from __future__ import annotations

import numpy as np
import pytest

from mmbench.reports.spectrogram import loudest, spectrogram

RATE = 16_000
TIME = np.arange(2 * RATE) / RATE


def row_of(frequency: float) -> int:
    """Rows are evenly spaced in octaves from 80 Hz at the bottom to half the rate at the top."""
    share = np.log(frequency / 80) / np.log(RATE / 2 / 80)
    return round(119 * (1 - share))


@pytest.mark.parametrize("frequency", [220, 277, 440, 2000])
def test_a_tone_lies_at_its_frequency(frequency: int) -> None:
    picture = spectrogram(np.sin(2 * np.pi * frequency * TIME).astype(np.float32), RATE)
    assert (picture.dtype, picture.shape) == (np.uint8, (120, 240))
    assert abs(int(picture[:, 120].argmax()) - row_of(frequency)) <= 1
    assert picture.max() == 255


def test_time_runs_to_the_right() -> None:
    """A tone in the second half leaves the first dark."""
    picture = spectrogram((np.sin(2 * np.pi * 440 * TIME) * (TIME > 1)).astype(np.float32), RATE)
    assert picture[row_of(440), 150:].min() > 200
    assert picture[:, :100].max() == 0


@pytest.mark.parametrize("audio", [np.zeros(0), np.zeros(3), np.zeros(RATE), np.full(RATE, np.nan)])
def test_silence_and_broken_sound_are_dark(audio: np.ndarray) -> None:
    assert spectrogram(audio.astype(np.float32), RATE).max() == 0


@pytest.mark.parametrize("pitch", [220, 277, 1000])
def test_the_strongest_frequency_is_told(pitch: int) -> None:
    time = np.arange(16_000) / 16_000
    tone = np.sin(2 * np.pi * pitch * time) + 0.3 * np.sin(2 * np.pi * 3000 * time)
    assert loudest(tone.astype(np.float32), 16_000) == pytest.approx(pitch, abs=1)
    assert loudest(np.zeros(100), 16_000) == loudest(np.zeros(0), 16_000) == 0
