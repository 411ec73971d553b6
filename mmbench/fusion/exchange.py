"""Channel exchange: modalities rectify each other before they are joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mmbench.core.registry import fusion
from mmbench.fusion.feature import Feature
from mmbench.fusion.tokenwise import JointLinear, Tokenwise, partners


@fusion("channel_exchange", needs="torch")
class ChannelExchange(Tokenwise):
    """y = W [x_1'; ..; x_M'], x_m' = x_m + (1/2) sum_{j != m} (s_j * x_j + t_j x_j): rectified by channel and by place.

    s = sigmoid(A_2 r(A_1 [a_1; ..; a_M])) in R^{M d} weighs channels, with a_m the mean of x_m over its tokens; t(l) =
    sigmoid(C_2 r(C_1 [x_1(l); ..; x_M(l)])) in R^M weighs places; r is ReLU, A_1 and C_1 map to d channels, W to d, all
    with biases. The rectification of Zhang et al., CMX, T-ITS 2023, with mean pooling, then a 1x1 convolution; the
    channel gates are those of Joze et al., MMTM, CVPR 2020. A single modality rectifies itself. Order does not matter.
    In place of an absent modality stands a learned null token e_m.
    """

    def __init__(self, modalities: Sequence[str], width: int) -> None:
        super().__init__(modalities, width)
        self.squeeze = JointLinear(self.modalities, width, width)
        self.channel = nn.ModuleDict({m: nn.Linear(width, width) for m in self.modalities})
        self.look = JointLinear(self.modalities, width, width)
        self.place = nn.ModuleDict({m: nn.Linear(width, 1) for m in self.modalities})
        self.project = JointLinear(self.modalities, width, width)

    def mix(self, parts: Mapping[str, Tensor], frame: Feature) -> Tensor:
        """Rectified, then joined."""
        count = (~frame.pad).sum(dim=1).clamp(min=1)[:, None, None]
        means = {m: x.sum(dim=1, keepdim=True) / count for m, x in parts.items()}
        squeezed, looked = self.squeeze(means).relu(), self.look(parts).relu()
        offered = {
            m: (self.channel[m](squeezed).sigmoid() + self.place[m](looked).sigmoid()) * parts[m]
            for m in self.modalities
        }
        rectified = {
            m: parts[m] + 0.5 * torch.stack([offered[j] for j in partners(self.modalities, m)]).sum(dim=0)
            for m in self.modalities
        }
        return self.project(rectified)  # type: ignore[no-any-return]
