"""Products of two modalities: all of them, or a factorised part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import torch
from torch import Tensor, nn

from mmbench.core.registry import fusion
from mmbench.fusion.feature import Feature
from mmbench.fusion.tokenwise import JointLinear, Tokenwise, linear_maps, normal_nulls

# Under the square root of MFB: sqrt has an infinite slope at 0.
_ROOT_EPS = 1e-6
_NORM_EPS = 1e-6


@fusion("bilinear", needs="torch")
class Bilinear(Tokenwise):
    """y_o = sum_{i<j} n_i^T W^ij_o n_j + (U [n_1; ..; n_M])_o + b_o, n_m = LayerNorm(x_m): all products of pairs.

    W^ij in R^{d x d x d}, of which there are M (M - 1) / 2. Jayakumar et al., Multiplicative Interactions and Where to
    Find Them, ICLR 2020. The LayerNorm (without weights) keeps the products in range. Pairs are taken by name, so that
    order does not matter. In place of an absent modality stands a learned null token e_m.
    """

    def __init__(self, modalities: Sequence[str], width: int) -> None:
        super().__init__(modalities, width)
        normal_nulls(self.null)
        self.linear = JointLinear(self.modalities, width, width)
        self.pair = nn.ParameterDict(
            {f"{a}-{b}": torch.randn(width, width, width) / width for a, b in combinations(sorted(self.modalities), 2)}
        )

    def mix(self, parts: Mapping[str, Tensor], frame: Feature) -> Tensor:  # noqa: ARG002
        """The bilinear form of each pair and the linear form."""
        normed = {m: nn.functional.layer_norm(x, (self.width,)) for m, x in parts.items()}
        y: Tensor = self.linear(normed)
        for a, b in combinations(sorted(self.modalities), 2):
            left = torch.einsum("bli,oij->bloj", normed[a], self.pair[f"{a}-{b}"])
            y = y + (left * normed[b][:, :, None, :]).sum(dim=-1)
        return y


@fusion("mfb", needs="torch")
class MFB(Tokenwise):
    """y = L2(root(SumPool_k(prod_m U_m n_m))), n_m = LayerNorm(x_m): multi-modal factorised bilinear pooling.

    U_m in R^{kd x d} (with biases), SumPool_k adds each k neighbouring channels, root(t) = t / sqrt(|t| + 1e-6) is the
    signed square root without its infinite slope at 0, L2(t) = t / max(|t|, 1e-6) over channels. Yu et al., Multi-modal
    Factorized Bilinear Pooling with Co-attention Learning, ICCV 2017. In place of an absent modality stands a learned
    null token e_m. Order does not matter.

    Options: ``factors`` k, default 5.
    """

    def __init__(self, modalities: Sequence[str], width: int, factors: int = 5) -> None:
        super().__init__(modalities, width)
        normal_nulls(self.null)
        self.map = linear_maps(self.modalities, width, factors * width)

    def mix(self, parts: Mapping[str, Tensor], frame: Feature) -> Tensor:  # noqa: ARG002
        """The pooled product, power and L2 normalised."""
        maps = [self.map[m](nn.functional.layer_norm(parts[m], (self.width,))) for m in self.modalities]
        product = torch.stack(maps).prod(dim=0)
        pooled = product.reshape(*product.shape[:2], self.width, -1).sum(dim=-1)
        rooted = pooled / (pooled.abs() + _ROOT_EPS).sqrt()
        return nn.functional.normalize(rooted, dim=-1, eps=_NORM_EPS)
