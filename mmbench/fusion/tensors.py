"""The outer product of all modalities: in full, or as a sum of tensors of rank one."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mmbench.core.errors import UsageError
from mmbench.core.registry import fusion
from mmbench.fusion.feature import Feature
from mmbench.fusion.tokenwise import Tokenwise, linear_maps, normal_nulls

# More modalities make a tensor of (inner + 1)^M entries too large.
_MOST = 3


@fusion("low_rank_tensor", needs="torch")
class LowRankTensor(Tokenwise):
    """y = sum_r w_r prod_m (F_m^r [n_m; 1]) + b, n_m = LayerNorm(x_m): a tensor of rank R applied to all modalities.

    F_m^r in R^{d x (d+1)}, the product is element-wise. Liu et al., Efficient Low-rank Multimodal Fusion with
    Modality-Specific Factors, ACL 2018. The LayerNorm (without weights) keeps the products in range. In place of an
    absent modality stands a learned null token e_m. Order does not matter.

    Options: ``rank`` R, default 4.
    """

    def __init__(self, modalities: Sequence[str], width: int, rank: int = 4) -> None:
        super().__init__(modalities, width)
        normal_nulls(self.null)
        self.factor = nn.ParameterDict(
            {m: torch.randn(rank, width, width + 1) / math.sqrt(width + 1) for m in self.modalities}
        )
        self.weight = nn.Parameter(torch.full((rank,), 1 / math.sqrt(rank)))
        self.bias = nn.Parameter(torch.zeros(width))

    def mix(self, parts: Mapping[str, Tensor], frame: Feature) -> Tensor:  # noqa: ARG002
        """The weighted sum over ranks."""
        product = torch.stack(
            [torch.einsum("bli,roi->blro", with_one(parts[m]), self.factor[m]) for m in self.modalities]
        ).prod(dim=0)
        return torch.einsum("blro,r->blo", product, self.weight) + self.bias


@fusion("tensor_fusion", needs="torch")
class TensorFusion(Tokenwise):
    """y = W vec([z_1; 1] o .. o [z_M; 1]) + b, z_m = P_m LayerNorm(x_m): the outer product o of all modalities, M <= 3.

    P_m in R^{q x d} (with a bias) makes the vectors small, W in R^{d x (q+1)^M}. Zadeh et al., Tensor Fusion Network
    for Multimodal Sentiment Analysis, EMNLP 2017. The LayerNorm (without weights) keeps the products in range. The
    axes of the tensor are sorted by name, so that order does not matter. In place of an absent modality stands a
    learned null token e_m.

    Options: ``inner`` q, default 16, at most d.
    """

    def __init__(self, modalities: Sequence[str], width: int, inner: int = 16) -> None:
        """Raises UsageError with more than three modalities."""
        super().__init__(modalities, width)
        if len(self.modalities) > _MOST:
            raise UsageError(
                f"The fusion 'tensor_fusion' joins at most {_MOST} modalities, not {len(self.modalities)}: its tensor "
                "grows by a factor with each; use low_rank_tensor."
            )
        normal_nulls(self.null)
        inner = min(inner, width)
        self.reduce = linear_maps(self.modalities, width, inner)
        self.project = nn.Linear((inner + 1) ** len(self.modalities), width)

    def mix(self, parts: Mapping[str, Tensor], frame: Feature) -> Tensor:  # noqa: ARG002
        """The projected tensor."""
        tensor, *others = (with_one(parts[m], self.reduce[m]) for m in sorted(self.modalities))
        for other in others:
            tensor = (tensor[..., :, None] * other[..., None, :]).flatten(-2)
        return self.project(tensor)  # type: ignore[no-any-return]


def with_one(x: Tensor, reduce: nn.Module | None = None) -> Tensor:
    """[LayerNorm(x); 1], reduced before the 1 is appended: float [B,L,d] -> [B,L,q+1]."""
    normed = nn.functional.layer_norm(x, x.shape[-1:])
    reduced: Tensor = normed if reduce is None else reduce(normed)
    return nn.functional.pad(reduced, (0, 1), value=1)
