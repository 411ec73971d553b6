"""Recordings to tokens."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from mmbench.models.audio_encoder import AudioEncoder, Spectrogram

RATE = 8000


def wave(samples: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(1, samples, generator=torch.Generator().manual_seed(seed)) - 0.5


def test_spectrogram_equals_a_plain_transform() -> None:
    """log10 of the power of a windowed discrete Fourier transform, frame by frame, in units of a full-scale sine."""
    spectrogram = Spectrogram(RATE)
    sound = wave(3000)[0].double().numpy()
    padded = np.concatenate([sound, np.zeros(spectrogram.size)])
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(spectrogram.size) / spectrogram.size)
    expected = []
    for begin in range(0, spectrogram.frames(3000) * spectrogram.hop, spectrogram.hop):
        spectrum = np.fft.rfft(padded[begin : begin + spectrogram.size] * hann)[: spectrogram.bins]
        expected.append(np.log10(np.abs(spectrum) ** 2 / (spectrogram.size / 4) ** 2 + 1e-5))
    found = spectrogram(torch.from_numpy(sound)[None].float())[0]
    np.testing.assert_allclose(found.numpy().T, np.stack(expected), atol=1e-4)


def test_a_full_scale_sine_has_power_one() -> None:
    spectrogram = Spectrogram(RATE)
    tone = torch.sin(2 * math.pi * 1000 * torch.arange(4000) / RATE)[None]
    assert float(spectrogram(tone).max()) == pytest.approx(0.0, abs=0.01)


@pytest.mark.parametrize("samples", [100, 512, 3000, 4097])
def test_what_lies_behind_the_end_changes_nothing(samples: int) -> None:
    """A recording that is padded with NaN has the same tokens, then padding, whatever stands beside it in the batch."""
    torch.manual_seed(0)
    encoder = AudioEncoder(RATE, -3.0, 2.0, 6).eval()
    for module in encoder.modules():
        if isinstance(module, torch.nn.BatchNorm1d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    sound = wave(samples)
    alone = encoder(sound)
    padded = torch.full((1, 9000), math.nan)
    padded[:, :samples] = sound
    beside = encoder(torch.cat([padded, wave(9000, 1)]))
    count = alone.x.shape[1]
    torch.testing.assert_close(beside.x[:1, :count], alone.x)
    assert beside.pad[0].tolist() == [False] * count + [True] * (beside.x.shape[1] - count)
    assert not beside.pad[1].any()
    assert torch.isfinite(beside.x).all()
