"""Gates: one modality says how much of another passes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mmbench.core.registry import fusion
from mmbench.fusion.feature import Feature
from mmbench.fusion.tokenwise import JointLinear, Tokenwise, linear_maps, partners


@fusion("gmu", needs="torch")
class GMU(Tokenwise):
    """y = z * tanh(W_1 x_1) + (1 - z) * tanh(W_2 x_2), z = sigmoid(W_z [x_1; x_2]): the gated multimodal unit.

    With other M each modality has its own gate: y = sum_m sigmoid(W_zm [x_1; ..; x_M]) * tanh(W_m x_m). All products
    are element-wise, W in R^{d x d} by block, biases left out here. Arevalo et al., Gated Multimodal Units for
    Information Fusion, ICLR workshop 2017, figure 2. Modalities 1 and 2 are taken by name, so that order does not
    matter. In place of an absent modality stands a learned null token e_m.
    """

    def __init__(self, modalities: Sequence[str], width: int) -> None:
        super().__init__(modalities, width)
        self.map = linear_maps(self.modalities, width, width)
        gated = sorted(self.modalities)[: 1 if len(self.modalities) == 2 else None]
        self.gate = nn.ModuleDict({m: JointLinear(self.modalities, width, width) for m in gated})

    def mix(self, parts: Mapping[str, Tensor], frame: Feature) -> Tensor:  # noqa: ARG002
        """The gated sum."""
        gates = {m: gate(parts).sigmoid() for m, gate in self.gate.items()}
        for m in self.modalities:
            if m not in gates:
                gates = {**gates, m: 1 - next(iter(gates.values()))}
        return torch.stack([gates[m] * self.map[m](parts[m]).tanh() for m in self.modalities]).sum(dim=0)


@fusion("sigmoid_gate", needs="torch")
class SigmoidGate(Tokenwise):
    """y = W_o (sigmoid(W_1 x_1) * sum_{m > 1} W_m x_m): the first modality gates the others.

    The product * is element-wise, all W in R^{d x d}, biases left out here. Kiela et al., Efficient Large-Scale
    Multi-Modal Classification, AAAI 2018. A single modality gates itself. The first modality is special, the order of
    the others does not matter. In place of an absent modality stands a learned null token e_m.
    """

    anchored = True

    def __init__(self, modalities: Sequence[str], width: int) -> None:
        super().__init__(modalities, width)
        self.gate = nn.Linear(width, width)
        self.value = JointLinear(partners(self.modalities, self.modalities[0]), width, width)
        self.project = nn.Linear(width, width)

    def mix(self, parts: Mapping[str, Tensor], frame: Feature) -> Tensor:  # noqa: ARG002
        """The gated values."""
        gate = self.gate(parts[self.modalities[0]]).sigmoid()
        return self.project(gate * self.value(parts))  # type: ignore[no-any-return]


@fusion("film", needs="torch")
class FiLM(Tokenwise):
    """y = (1 + G c) * x_1 + B c, c = [x_2; ..; x_M]: the others scale and shift the channels of the first modality.

    The product * is element-wise, G and B in R^{d x (M-1)d}, biases left out here. Perez et al., FiLM: Visual Reasoning
    with a General Conditioning Layer, AAAI 2018. A condition of one token (a sentence) acts alike everywhere, one on
    the grid of x_1 place by place. A single modality conditions itself. The first modality is special, the order of the
    others does not matter. In place of an absent modality stands a learned null token e_m.
    """

    anchored = True

    def __init__(self, modalities: Sequence[str], width: int) -> None:
        super().__init__(modalities, width)
        conditions = partners(self.modalities, self.modalities[0])
        self.scale = JointLinear(conditions, width, width)
        self.shift = JointLinear(conditions, width, width)

    def mix(self, parts: Mapping[str, Tensor], frame: Feature) -> Tensor:  # noqa: ARG002
        """The modulated first modality."""
        return (1 + self.scale(parts)) * parts[self.modalities[0]] + self.shift(parts)  # type: ignore[no-any-return]
