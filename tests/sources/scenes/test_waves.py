"""Tables of sound: the integer sine is the sine, tones have their pitch."""

from __future__ import annotations

import numpy as np
import pytest

from mmbench.sources.scenes.waves import noise_table, sines, tone


def test_the_integer_sine_is_the_rounded_sine() -> None:
    turn = 2 * np.pi * np.arange(4096) / 4096
    assert np.array_equal(sines(), np.round(32767 * np.sin(turn)))


@pytest.mark.parametrize("frequency", [220, 277, 330, 440, 2000, 5900])
@pytest.mark.parametrize("start", [0, 1 << 31, 123_456_789])
def test_a_tone_has_its_frequency_and_its_phase(frequency: int, start: int) -> None:
    """Against the sine in float64: the phase is off by less than a step of the table (and 2 s of rounding)."""
    found = tone(frequency, start, 32_000, 16_000)
    exact = 32767 * np.sin(2 * np.pi * (frequency * np.arange(32_000) / 16_000 + start / 2**32))
    assert np.abs(found - exact).max() < 32767 * 2 * np.pi / 4096 * 1.1


def test_noise_is_white_and_normal() -> None:
    """Mean, deviation, neighbours and tails of 131,072 values, each within 4 standard errors of a normal's (BELL)."""
    table = noise_table() / 209.0
    count = len(table)
    assert abs(table.mean()) < 4 / np.sqrt(count)
    assert table.std() == pytest.approx(1, abs=4 / np.sqrt(2 * count))
    assert abs((table[1:] * table[:-1]).mean()) < 4 / np.sqrt(count)
    assert (np.abs(table) > 1.96).mean() == pytest.approx(0.05, abs=0.004)
