"""Concatenation, then a small network: of features, or of logits (stacking)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mmbench.core.registry import fusion
from mmbench.fusion.feature import Feature
from mmbench.fusion.tokenwise import Tokenwise


@fusion("concat", needs="torch")
class Concat(Tokenwise):
    """y = W2 s(W1 [x_1; ..; x_M] + b1) + b2: an MLP on the concatenated features, token by token.

    s is GELU, W1 is [h, M d], W2 [d, h]. The baseline of multimodal learning (Ngiam et al., Multimodal Deep Learning,
    ICML 2011); on dense maps it is channel concatenation followed by 1x1 convolutions. In place of an absent modality
    stands a learned null token e_m. The order of modalities is that of the columns of W1.

    Options: ``hidden`` h, default 2d.
    """

    def __init__(self, modalities: Sequence[str], width: int, hidden: int | None = None) -> None:
        super().__init__(modalities, width)
        hidden = hidden or 2 * width
        self.expand = nn.Linear(width * len(self.modalities), hidden)
        self.project = nn.Linear(hidden, width)

    def mix(self, parts: Mapping[str, Tensor], frame: Feature) -> Tensor:  # noqa: ARG002
        """The MLP."""
        joined = torch.cat([parts[m] for m in self.modalities], dim=-1)
        return self.project(nn.functional.gelu(self.expand(joined)))  # type: ignore[no-any-return]


@fusion("model_nonlinear", needs="torch", level="logits")
class ModelNonlinear(Concat):
    """Y = W2 s(W1 [M_1; ..; M_M] + b1) + b2: an MLP on the logits of one model per modality (stacking).

    Wolpert, Stacked Generalization, Neural Networks 1992. The rest is as in ``concat``, with learned null logits for an
    absent modality.

    Options: ``hidden`` h, default 64.
    """

    level = "logits"

    def __init__(self, modalities: Sequence[str], width: int, hidden: int = 64) -> None:
        super().__init__(modalities, width, hidden)
