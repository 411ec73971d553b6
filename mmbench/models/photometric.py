"""The light and the camera of an image changed at random, as in the photometric distortion of SSD (Liu et al. 2016)."""

from __future__ import annotations

import torch
from torch import Tensor

# Half widths of what is drawn uniformly: exponent (log), contrast and saturation (factors about 1), brightness (added),
# and the gain of each channel (log), as white balance changes with the hour.
_GAMMA, _CONTRAST, _SATURATION, _BRIGHTNESS, _GAIN = 0.4, 0.3, 0.4, 0.12, 0.15


def recoloured(x: Tensor, draws: torch.Generator) -> Tensor:
    """float32 [C,H,W] in 0..1 -> the same shape and range: gamma, channel gains, saturation, contrast, brightness."""
    channels = x.shape[0]
    gamma, contrast, saturation, brightness, *gains = (2 * torch.rand(4 + channels, generator=draws) - 1).tolist()
    y: Tensor = x ** (2.0 ** (_GAMMA * gamma))
    y = y * torch.exp(_GAIN * torch.tensor(gains))[:, None, None]
    grey = y.mean(dim=0, keepdim=True)
    y = grey + (1 + _SATURATION * saturation) * (y - grey)
    mean = y.mean()
    y = mean + (1 + _CONTRAST * contrast) * (y - mean) + _BRIGHTNESS * brightness
    return y.clamp(0, 1)
