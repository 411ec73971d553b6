"""Weighted sums, of features or (late) of logits, and a non-linear function of such a sum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from mmbench.core.errors import UsageError
from mmbench.core.registry import fusion
from mmbench.fusion.base import Fusion
from mmbench.fusion.feature import Feature, absent, aligned
from mmbench.fusion.tokenwise import linear_maps

Weighting = Literal["free", "channel", "softmax", "mean"]


class WeightedSum(Fusion):
    """y = (M / |P|) sum_{m in P} a_m x_m over the modalities P that are present, token by token.

    With all present this is the plain sum; without some it is renormalised by their number, and a token that no
    modality has is 0 and padding. The order of the modalities does not matter.

    Options: ``weighting`` "free": the a_m are scalars (so that "subtract" can be learnt), 1/M at the start; "channel":
    vectors of d; "softmax": scalars that sum to 1; "mean": 1/M, nothing is learnt.
    """

    additive = True

    def __init__(self, modalities: Sequence[str], width: int, weighting: Weighting = "free") -> None:
        """Raises UsageError on an unknown ``weighting``."""
        super().__init__(modalities, width)
        starts = {"free": torch.ones(()), "channel": torch.ones(width), "softmax": torch.zeros(()), "mean": None}
        if weighting not in starts:
            raise UsageError(f"The weighting of a sum is one of {', '.join(starts)}, not {weighting!r}.")
        start = starts[weighting]
        self.weighting = weighting
        # The softmax of one number is 1 whatever it is, so that nothing could be learnt there.
        learnt = () if start is None or (weighting == "softmax" and len(self.modalities) == 1) else self.modalities
        scale = 1 / len(self.modalities)
        self.weight = nn.ParameterDict({m: nn.Parameter(scale * start) for m in learnt if start is not None})

    def fuse(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        """A token is padding in y when no modality has it."""
        same = aligned(features)
        gone = {m: absent(same[m], present[m]) for m in self.modalities}
        weights = self._weights()
        y, pad = present_sum({m: weights[m] * same[m].x.masked_fill(gone[m], 0) for m in self.modalities}, gone)
        return Feature(y, pad, same[self.modalities[0]].grid)

    def _weights(self) -> Mapping[str, Tensor | float]:
        if not len(self.weight):
            return dict.fromkeys(self.modalities, 1 / len(self.modalities))
        if self.weighting == "softmax":
            shares = torch.stack(list(self.weight.values())).softmax(dim=0)
            return dict(zip(self.weight, shares, strict=True))
        return dict(self.weight.items())


@fusion("feat_linear", needs="torch", additive=True)
@fusion("sum", needs="torch", additive=True)
class FeatLinear(WeightedSum):
    """y = sum_m a_m x_m: a weighted sum of features (feature-level linear fusion).

    By modality present, (M / |P|) sum_{m in P} a_m x_m. Options: ``weighting`` free (a scalar a_m each, 1/M at the
    start), channel (a vector each), softmax (they sum to 1) or mean (fixed). Order does not matter.
    """


@fusion("model_linear", needs="torch", level="logits", additive=True)
@fusion("late", needs="torch", level="logits", additive=True)
class ModelLinear(WeightedSum):
    """Y = sum_m a_m M_m: a weighted sum of the logits of one model per modality (late fusion).

    The linear combination of classifiers (Kittler et al., On Combining Classifiers, TPAMI 1998). Over what is present,
    renormalised, and with the option ``weighting`` as ``feat_linear``. Order does not matter.
    """

    level = "logits"


@fusion("feat_nonlinear", needs="torch")
class FeatNonlinear(Fusion):
    """y = f(sum_m a_m W_m x_m + b): a non-linear function of a weighted sum of features.

    f is GELU, W_m in R^{d x d}, the a_m are scalars, 1/M at the start. As in ``feat_linear`` the sum runs over what is
    present, times M / |P|; a token that no modality has is f(b) and padding. Order does not matter.
    """

    def __init__(self, modalities: Sequence[str], width: int) -> None:
        super().__init__(modalities, width)
        start = torch.tensor(1 / len(self.modalities))
        self.weight = nn.ParameterDict({m: nn.Parameter(start.clone()) for m in self.modalities})
        self.map = nn.ModuleDict({m: nn.Linear(width, width, bias=False) for m in self.modalities})
        self.bias = nn.Parameter(torch.zeros(width))

    def fuse(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        """A token is padding in y when no modality has it."""
        same = aligned(features)
        gone = {m: absent(same[m], present[m]) for m in self.modalities}
        terms = {m: self.weight[m] * self.map[m](same[m].x.masked_fill(gone[m], 0)) for m in self.modalities}
        total, pad = present_sum(terms, gone)
        return Feature(nn.functional.gelu(total + self.bias), pad, same[self.modalities[0]].grid)


@fusion("product", needs="torch")
class Product(Fusion):
    """y = prod_m (W_m x_m + b_m): the element-wise (Hadamard) product of linear maps.

    W_m in R^{d x d}; a bilinear model of low rank (Kim et al., Hadamard Product for Low-rank Bilinear Pooling, ICLR
    2017). An absent modality is left out of the product; a token that no modality has is 1 and padding. Order does not
    matter.
    """

    def __init__(self, modalities: Sequence[str], width: int) -> None:
        super().__init__(modalities, width)
        self.map = linear_maps(self.modalities, width, width)

    def fuse(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        """A token is padding in y when no modality has it."""
        same = aligned(features)
        gone = [absent(same[m], present[m]) for m in self.modalities]
        zeroed = (same[m].x.masked_fill(g, 0) for m, g in zip(self.modalities, gone, strict=True))
        factors = [torch.where(g, 1, self.map[m](x)) for m, x, g in zip(self.modalities, zeroed, gone, strict=True)]
        pad = torch.stack(gone).all(dim=0).squeeze(-1)
        return Feature(torch.stack(factors).prod(dim=0), pad, same[self.modalities[0]].grid)


def present_sum(terms: Mapping[str, Tensor], gone: Mapping[str, Tensor]) -> tuple[Tensor, Tensor]:
    """(M / |P|) sum of the terms float [B,L,d], those that are gone (bool [B,L,1]) being 0, and the padding [B,L]."""
    lost = torch.stack([gone[m] for m in terms])
    count = (~lost).sum(dim=0).clamp(min=1)
    total = torch.stack(list(terms.values())).sum(dim=0)
    return total * (len(terms) / count).to(total.dtype), lost.all(dim=0).squeeze(-1)
