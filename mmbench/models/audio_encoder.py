"""A small encoder of recordings, trained from scratch."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool1d, pad

from mmbench.fusion.feature import Feature

# Seconds of a window (its inverse is the distance of two frequencies: 16 Hz) and between two windows.
_WINDOW, _HOP = 0.064, 0.032
_HIGHEST = 4_000  # Hz; above lie few tones of speech and none of ours
_FLOOR = 1e-5  # power below which a bin is silent, for a full scale of 1
_FRAMES_PER_TOKEN = 4


class Spectrogram(nn.Module):
    """float32 [B,T] -> log10 of the power float32 [B,F,frames] up to 4 kHz; Hann windows of 64 ms every 32 ms."""

    window: Tensor

    def __init__(self, rate: int) -> None:
        super().__init__()
        self.size, self.hop = max(2, round(rate * _WINDOW)), max(1, round(rate * _HOP))
        self.bins = min(self.size // 2 + 1, 1 + int(_HIGHEST * self.size / rate))
        self.register_buffer("window", torch.hann_window(self.size), persistent=False)

    def frames(self, samples: int) -> int:
        """Number of windows in a recording, which is padded with silence to fill the last one."""
        return 1 + -(-max(0, samples - self.size) // self.hop)

    def forward(self, wave: Tensor) -> Tensor:
        """Power relative to that of a full-scale sine."""
        samples = wave.shape[1]
        wave = pad(wave, (0, (self.frames(samples) - 1) * self.hop + self.size - samples))
        spectrum = torch.stft(
            wave, self.size, self.hop, window=self.window, center=False, return_complex=True, onesided=True
        )[:, : self.bins]
        power = (spectrum.real**2 + spectrum.imag**2) / (self.size / 4) ** 2
        return torch.log10(power + _FLOOR)


class AudioEncoder(nn.Module):
    """float32 [B,T] -> tokens of ``width`` channels along time, one for each 128 ms.

    Convolutions over time on a log-spectrogram whose frequencies are channels. Samples that are NaN lie behind the end
    of a shorter recording: they change nothing, and a token that begins there is padding.
    """

    def __init__(self, rate: int, mean: float, std: float, width: int) -> None:
        """``mean`` and ``std`` are those of the log-spectrogram."""
        super().__init__()
        self.spectrogram = Spectrogram(rate)
        self.mean, self.std = mean, std
        hidden = 2 * width
        self.layers = nn.ModuleList(
            (_conv(self.spectrogram.bins, hidden, 1), _conv(hidden, hidden, 3), _conv(hidden, width, 3))
        )

    def forward(self, wave: Tensor) -> Feature:
        """The tokens; their number is that of the frames over 4, rounded up."""
        sounding = ~wave.isnan()
        x = (self.spectrogram(torch.where(sounding, wave, 0)) - self.mean) / self.std
        heard = self._heard(sounding, x.shape[2])
        for layer in self.layers:
            x = layer(x.masked_fill(~heard, 0))
        total = _grouped(torch.where(heard, x, 0))
        share = _grouped(heard.to(x.dtype))
        return Feature((total / share.clamp(min=1e-6)).transpose(1, 2), share[:, 0] == 0, (share.shape[2],))

    def _heard(self, sounding: Tensor, frames: int) -> Tensor:
        """bool [B,1,frames]: those that the recording would have by itself."""
        beyond = (sounding.sum(dim=1) - self.spectrogram.size).clamp(min=0)
        own = torch.where(sounding.any(dim=1), 1 + (beyond + self.spectrogram.hop - 1) // self.spectrogram.hop, 0)
        return (torch.arange(frames, device=own.device) < own[:, None])[:, None]


def _grouped(x: Tensor) -> Tensor:
    return avg_pool1d(x, _FRAMES_PER_TOKEN, ceil_mode=True)


def _conv(inputs: int, outputs: int, kernel: int) -> nn.Sequential:
    conv = nn.Conv1d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm1d(outputs), nn.ReLU(inplace=True))
