"""Weighted sums, of features (early) or of logits (late)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mmbench.core.registry import fusion
from mmbench.fusion.base import Fusion
from mmbench.fusion.feature import Feature, absent, aligned


class WeightedSum(Fusion):
    """y = (M / |P|) sum_{m in P} a_m x_m over the modalities P that are present, token by token.

    The a_m are free scalars (so "subtract" can be learnt), 1/M at the start. With all present this is the plain sum;
    without some it is renormalised by their number, and a token that no modality has is 0 and padding.
    """

    additive = True

    def __init__(self, modalities: Sequence[str], width: int) -> None:
        super().__init__(modalities, width)
        start = torch.tensor(1 / len(self.modalities))
        self.weight = nn.ParameterDict({m: nn.Parameter(start.clone()) for m in self.modalities})

    def fuse(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        """A token is padding in y when no modality has it."""
        same = aligned(features)
        missing = [absent(same[m], present[m]) for m in self.modalities]
        terms = [
            self.weight[m] * same[m].x.masked_fill(gone, 0) for m, gone in zip(self.modalities, missing, strict=True)
        ]
        gone = torch.stack(missing)
        count = (~gone).sum(dim=0).clamp(min=1)
        y = torch.stack(terms).sum(dim=0) * (len(terms) / count)
        return Feature(y, gone.all(dim=0).squeeze(-1), same[self.modalities[0]].grid)


@fusion("feat_linear", needs="torch")
@fusion("sum", needs="torch")
class FeatLinear(WeightedSum):
    """y = sum_m a_m x_m: a weighted sum of features (feature-level linear fusion)."""


@fusion("model_linear", needs="torch")
@fusion("late", needs="torch")
class ModelLinear(WeightedSum):
    """Y = sum_m a_m M_m: a weighted sum of the logits of one model per modality (late fusion).

    The linear combination of classifiers (Kittler et al., On Combining Classifiers, TPAMI 1998).
    """

    level = "logits"
