"""Convolution over concatenated maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from mmbench.core.errors import UsageError
from mmbench.core.registry import fusion
from mmbench.fusion.feature import Feature, planes, unplaned
from mmbench.fusion.tokenwise import Tokenwise


@fusion("conv", needs="torch")
class Conv(Tokenwise):
    """y = s(K * [X_1; ..; X_M] + b): a convolution over the concatenated maps.

    s is GELU, K has k x k taps and maps M d channels to d (Feichtenhofer et al., Convolutional Two-Stream Network
    Fusion, CVPR 2016). Video is convolved frame by frame, a sequence along its length, a vector is a map of one place.
    In place of an absent modality stands a learned null token e_m; outside the map and at padding is 0. The order of
    modalities is that of the input channels of K.

    Options: ``kernel`` k, 1 or 3, default 3.
    """

    def __init__(self, modalities: Sequence[str], width: int, kernel: Literal[1, 3] = 3) -> None:
        """Raises UsageError on another kernel."""
        super().__init__(modalities, width)
        if kernel not in (1, 3):
            raise UsageError(f"The fusion 'conv' has a kernel of 1 or 3, not {kernel}.")
        self.conv = nn.Conv2d(width * len(self.modalities), width, kernel, padding=kernel // 2)

    def mix(self, parts: Mapping[str, Tensor], frame: Feature) -> Tensor:
        """The convolution."""
        joined = torch.cat([parts[m] for m in self.modalities], dim=-1)
        return unplaned(nn.functional.gelu(self.conv(planes(joined, frame.grid))), frame.grid)
