"""The one interface of all fusion operators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal, NamedTuple

from torch import Tensor, nn

from mmbench.core import registry
from mmbench.core.errors import UsageError
from mmbench.fusion.feature import Feature, absent

# What is joined: the normalised inputs, the encoders' features, the logits of one head per modality, or both of these.
Level = Literal["inputs", "features", "logits", "both"]
# How the features must lie to each other: token l of each is the same place, or sequences of unequal length.
Layout = Literal["aligned", "tokens"]
# From fused tokens to logits, both as a Feature: x float [B,L,d] -> x float [B,L,C].
Head = Callable[[Feature], Feature]
# The name of the head, and of the encoder, that stands behind what was joined.
FUSED = "fused"


class Decision(NamedTuple):
    """What a model answers with a fusion.

    ``logits`` x float [B,L,C] is the answer. ``experts`` are the logits of single heads that are trained on the same
    loss beside it (empty for most), ``auxiliary`` is a scalar that is added to the loss (0 for most).
    """

    logits: Feature
    experts: dict[str, Feature]
    auxiliary: Tensor


class Fusion(nn.Module, ABC):
    """Joins one Feature per modality into one; registered with ``@fusion("name", needs="torch")``.

    An operator is built from the modalities (their order is part of it where it says so) and the number of channels d
    that all its inputs and its output have; every option is a keyword with a default. What holds for each:

    - any M >= 1 modalities (an operator that cannot says so with a UsageError), and any of them absent in any item of a
      batch: the content of what is absent is never read (``torch.where``, since 0 * NaN is NaN), and no Python branch
      depends on the value of a tensor;
    - all weights are parameters, so that they are trained, saved and counted;
    - ``additive`` says whether, with every modality present, y is a sum of terms that each depend on one modality.

    ``level`` says what is fused. "features": the encoders' features. "logits" (late fusion): the logits of one head per
    modality, then d is the number of classes. "both": ``fuse`` joins features, ``decide`` their logits too. "inputs"
    (early fusion): normalised inputs on one grid, of C_m channels each; sum_m (C_m + 1) come out, which one encoder
    takes.

    ``layout`` says how they must lie. "aligned": token l of each modality means the same place; one of a single token
    is spread over the others (for a pooled task each modality is one token). "tokens": each has its own length, grid
    and padding. What comes out has the common layout, with "tokens" that of the first modality, the anchor.

    ``anchored`` says whether it matters which modality is the first. Otherwise the order does not, as the weights of a
    modality go by its name (or, in a concatenation, move along).

    ``needs_prior`` says that the option ``prior``, the share of each class in the training labels, is needed.
    """

    level: Level = "features"
    layout: Layout = "aligned"
    additive: bool = False
    anchored: bool = False
    needs_prior: ClassVar[bool] = False

    def __init__(self, modalities: Sequence[str], width: int) -> None:
        super().__init__()
        self.modalities = tuple(modalities)
        self.width = width

    @classmethod
    def level_with(cls, options: Mapping[str, Any]) -> Level:  # noqa: ARG003  for those that wrap another
        """What the operator joins when it is built with these options."""
        return cls.level

    @property
    def heads(self) -> tuple[str, ...]:
        """The names of the heads that ``decide`` takes: FUSED for what was joined, a modality for its own."""
        return {"logits": self.modalities, "both": (*self.modalities, FUSED)}.get(self.level, (FUSED,))

    @abstractmethod
    def fuse(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        """``features[m]`` x float [B,L,d], ``present[m]`` bool [B] -> x float [B,L,d] in the layout of the anchor."""

    def forward(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        """Same as ``fuse``."""
        return self.fuse(features, present)

    def decide(
        self, features: Mapping[str, Feature], present: Mapping[str, Tensor], heads: Mapping[str, Head]
    ) -> Decision:
        """The logits from the encoders' features (level "inputs": from ``features[FUSED]``, what was joined, encoded).

        ``heads`` has one for each name in ``self.heads``; no head sees the content of what is absent.
        """
        if self.level == "inputs":
            logits = heads[FUSED](features[FUSED])
        elif self.level == "logits":
            logits = self.fuse(self.votes(features, present, heads), present)
        else:
            logits = heads[FUSED](self.fuse(features, present))
        return Decision(logits, {}, self.auxiliary(features, present))

    def votes(
        self, features: Mapping[str, Feature], present: Mapping[str, Tensor], heads: Mapping[str, Head]
    ) -> dict[str, Feature]:
        """The logits of each modality by its own head; what is absent is read as zeros."""
        return {
            m: heads[m](features[m]._replace(x=features[m].x.masked_fill(absent(features[m], present[m]), 0)))
            for m in self.modalities
        }

    def auxiliary(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Tensor:  # noqa: ARG002
        """What is added to the loss: a scalar, 0 unless the operator has such a term."""
        return next(iter(features.values())).x.new_zeros(())


class Single(Fusion):
    """The identity of one modality: what stands in the place of a fusion in a unimodal model (``only:rgb``)."""

    additive = True

    def fuse(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        """The feature itself; an absent item is padding."""
        (m,) = self.modalities
        feature = features[m]
        return feature._replace(pad=feature.pad | ~present[m][:, None])


def build_fusion(name: str, modalities: Sequence[str], width: int, options: Mapping[str, Any]) -> Fusion:
    """The operator registered under ``name``; raises UnknownName, or UsageError on an option that it does not have."""
    operator = registry.fusion.get(name)
    try:
        built: Fusion = operator(modalities, width, **options)
    except TypeError as error:
        raise UsageError(f"The fusion {name!r} does not take the options {dict(options)}: {error}.") from error
    return built


def fusion_level(name: str, options: Mapping[str, Any]) -> Level:
    """What the operator registered under ``name`` joins with these options."""
    level: Level = registry.fusion.get(name).level_with(options)
    return level


def encoder_channels(level: Level, channels: Mapping[str, int]) -> dict[str, int]:
    """The encoders that a model needs, with the channels that each takes, for inputs of these channels."""
    return {FUSED: sum(channels.values()) + len(channels)} if level == "inputs" else dict(channels)
