"""Operators around another operator: with late experts, with modalities dropped in training, with a shared trunk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from mmbench.core.errors import UsageError
from mmbench.core.registry import fusion
from mmbench.fusion.base import FUSED, Decision, Fusion, Head, Level, build_fusion, fusion_level
from mmbench.fusion.feature import Feature, absent, onto
from mmbench.fusion.linear import present_sum
from mmbench.fusion.tokenwise import filled

Options = Mapping[str, Any]


class Wrapper(Fusion):
    """An operator around another one of features, which it takes its layout and its auxiliary loss from."""

    def __init__(
        self, modalities: Sequence[str], width: int, inner: str = "concat", inner_options: Options | None = None
    ) -> None:
        """Raises UsageError when the inner operator does not join features."""
        super().__init__(modalities, width)
        level = fusion_level(inner, inner_options or {})
        if level not in self._wrapped():
            wanted = " or ".join(self._wrapped())
            raise UsageError(f"{type(self).__name__} wraps a fusion of {wanted}, and {inner!r} is one of {level}.")
        self.inner = build_fusion(inner, modalities, width, inner_options or {})
        self.layout, self.anchored = self.inner.layout, self.inner.anchored

    @classmethod
    def _wrapped(cls) -> tuple[Level, ...]:
        return ("features",)

    def auxiliary(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Tensor:
        """That of the inner operator."""
        return self.inner.auxiliary(features, present)


@fusion("hybrid", needs="torch", level="both")
class Hybrid(Wrapper):
    """Y = a f(fused) + (M / |P|) sum_{m in P} b_m f_m(x_m): a head on the fused features beside one on each modality.

    a and the b_m are scalars, 1/2 and 1/(2M) at the start; P are the modalities present. All heads are trained, each on
    the loss of its own logits too (the heads of Wang et al., What Makes Training Multi-modal Classification Networks
    Hard?, CVPR 2020). Logits on another layout than the fused ones' enter as the mean of their tokens. Additive if the
    inner operator is. Order matters as in the inner operator.

    Options: ``inner``, the operator of features, default concat; ``inner_options``.
    """

    level = "both"

    def __init__(
        self, modalities: Sequence[str], width: int, inner: str = "concat", inner_options: Options | None = None
    ) -> None:
        super().__init__(modalities, width, inner, inner_options)
        self.additive = self.inner.additive
        self.whole = nn.Parameter(torch.tensor(0.5))
        half = torch.tensor(0.5 / len(self.modalities))
        self.part = nn.ParameterDict({m: nn.Parameter(half.clone()) for m in self.modalities})

    def fuse(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        """The features that the head FUSED takes."""
        return self.inner.fuse(features, present)

    def decide(
        self, features: Mapping[str, Feature], present: Mapping[str, Tensor], heads: Mapping[str, Head]
    ) -> Decision:
        """The weighted sum; the heads' own logits are ``experts``, an absent modality's being padding."""
        fused = heads[FUSED](self.fuse(features, present))
        votes = self.votes(features, present, heads)
        experts = {m: vote._replace(pad=absent(vote, present[m]).squeeze(-1)) for m, vote in votes.items()}
        beside = {m: onto(expert, fused) for m, expert in experts.items()}
        gone = {m: vote.pad[..., None] for m, vote in beside.items()}
        aside, _ = present_sum({m: self.part[m] * v.x.masked_fill(gone[m], 0) for m, v in beside.items()}, gone)
        logits = fused._replace(x=self.whole * fused.x + aside)
        return Decision(logits, {**experts, FUSED: fused}, self.auxiliary(features, present))


@fusion("multitask", needs="torch")
class Multitask(Wrapper):
    """y = h + W2 s(W1 h + b1) + b2, h = fusion of x_1 .. x_M: a trunk f_shared that the heads of all tasks take.

    The model is f_k(f_shared(x)) for task k, its loss sum_k w_k l_k, with f_k the head of the task (Caruana, Multitask
    Learning, Machine Learning 1997). s is GELU, W1 in R^{2d x d}. Order matters as in the inner operator.

    Options: ``inner``, the operator of features, default concat; ``inner_options``.
    """

    def __init__(
        self, modalities: Sequence[str], width: int, inner: str = "concat", inner_options: Options | None = None
    ) -> None:
        super().__init__(modalities, width, inner, inner_options)
        self.expand, self.project = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)

    def fuse(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        """What all heads take."""
        shared = self.inner.fuse(features, present)
        return shared._replace(x=shared.x + self.project(nn.functional.gelu(self.expand(shared.x))))


@fusion("modality_dropout", needs="torch")
class ModalityDropout(Wrapper):
    """x_m <- a_m x_m + (1 - a_m) e_m with a_m ~ Bernoulli(1 - p) in training, at least one kept: before any operator.

    e_m in R^d is learned, and stands for an absent modality in training and after it; nothing is dropped after it.
    Neverova et al., ModDrop, TPAMI 2016; Ma et al., Are Multimodal Transformers Robust to Missing Modality?, CVPR 2022.
    What is drawn comes from torch's generator of the CPU, seeded by the training. Additive if the inner operator is.
    Order matters as in the inner operator.

    Options: ``p``, default 0.3; ``inner``, an operator of features or of logits, default feat_nonlinear;
    ``inner_options``.
    """

    def __init__(
        self,
        modalities: Sequence[str],
        width: int,
        p: float = 0.3,
        inner: str = "feat_nonlinear",
        inner_options: Options | None = None,
    ) -> None:
        """Raises UsageError when p is not in 0..1 (1 excluded)."""
        super().__init__(modalities, width, inner, inner_options)
        if not 0 <= p < 1:
            raise UsageError(f"The option 'p' of 'modality_dropout' is a probability below 1, not {p}.")
        self.p = p
        self.level = self.inner.level
        self.additive = self.inner.additive
        self.null = nn.ParameterDict({m: nn.Parameter(torch.zeros(width)) for m in self.modalities})

    @classmethod
    def level_with(cls, options: Mapping[str, Any]) -> Level:
        """That of the inner operator."""
        return fusion_level(options.get("inner", "feat_nonlinear"), options.get("inner_options") or {})

    @classmethod
    def _wrapped(cls) -> tuple[Level, ...]:
        return ("features", "logits")

    def fuse(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        """The inner operator on what is left, each modality being there or replaced."""
        every = {m: torch.ones_like(present[m]) for m in self.modalities}
        return self.inner.fuse(self._replaced(features, self._kept(present)), every)

    def auxiliary(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Tensor:
        """That of the inner operator, with nothing dropped."""
        every = {m: torch.ones_like(present[m]) for m in self.modalities}
        return self.inner.auxiliary(self._replaced(features, present), every)

    def _kept(self, present: Mapping[str, Tensor]) -> Mapping[str, Tensor]:
        """What of the present is left after this step's draw: the one with the least number always."""
        if not self.training:
            return present
        there = torch.stack([present[m] for m in self.modalities])
        draws = torch.rand(there.shape).to(there.device).masked_fill(~there, 2)
        kept = there & ((draws < 1 - self.p) | (draws == draws.min(dim=0).values))
        return dict(zip(self.modalities, kept, strict=True))

    def _replaced(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> dict[str, Feature]:
        if self.layout == "aligned":
            frame, parts = filled(features, present, self.null)
            return {m: frame._replace(x=part) for m, part in parts.items()}
        return {m: _one_token(features[m], present[m], self.null[m]) for m in self.modalities}


def _one_token(feature: Feature, present: Tensor, null: Tensor) -> Feature:
    """The feature with the null token alone where it is absent."""
    later = torch.arange(feature.x.shape[1], device=present.device) > 0
    pad = torch.where(present[:, None], feature.pad, later)
    return feature._replace(x=torch.where(present[:, None, None], feature.x, null).to(feature.x.dtype), pad=pad)
