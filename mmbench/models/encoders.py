"""The encoder of each kind of input, and what it is normalised by."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmbench.models.audio_encoder import AudioEncoder
from mmbench.models.backbones import PictureBackbone, TextBackbone
from mmbench.models.config import AudioConfig, Backbone, InputConfig, PictureConfig, TextConfig
from mmbench.models.dense_encoder import DenseEncoder
from mmbench.models.text_encoder import TextEncoder
from mmbench.models.vocabulary import SPECIAL


class Normalise(nn.Module):
    """(x - mean) / std per channel; the numbers are buffers, so that they belong to the weights and their digest."""

    mean: Tensor
    std: Tensor

    def __init__(self, table: PictureConfig) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(table.mean).view(-1, 1, 1))
        self.register_buffer("std", torch.tensor(table.std).view(-1, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """float32 [B,C,H,W] -> the same shape."""
        return (x - self.mean) / self.std


def normaliser(table: InputConfig) -> nn.Module:
    """Texts are numbers of words, and a recording's spectrogram is normalised by its encoder: both stay as they are."""
    return Normalise(table) if isinstance(table, PictureConfig) else nn.Identity()


def encoder(table: InputConfig, width: int, stride: int) -> nn.Module:
    """Of a picture to a map float [B,d,h,w] at 1/stride, of a text or a recording to a Feature."""
    if not isinstance(table, AudioConfig) and table.backbone is not None:
        return _with_backbone(table, table.backbone, width)
    if isinstance(table, TextConfig):
        return TextEncoder(len(table.words), width)
    if isinstance(table, AudioConfig):
        return AudioEncoder(table.rate, table.mean, table.std, width)
    return DenseEncoder(table.channels, width, stride)


def _with_backbone(table: PictureConfig | TextConfig, backbone: Backbone, width: int) -> nn.Module:
    if isinstance(table, PictureConfig):
        return PictureBackbone(backbone, width)
    return TextBackbone(backbone, len(table.words) - (SPECIAL if table.pieces else 0), width)
