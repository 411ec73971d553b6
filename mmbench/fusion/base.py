"""The one interface of all fusion operators."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from torch import Tensor, nn

from mmbench.core import registry
from mmbench.core.errors import UsageError
from mmbench.fusion.feature import Feature


class Fusion(nn.Module, ABC):
    """Joins one Feature per modality into one; registered with ``@fusion("name", needs="torch")``.

    An operator is built from the modalities (their order is part of it where it says so) and the number of channels d
    that all its inputs and its output have; every option is a keyword with a default. What holds for each:

    - any M >= 1 modalities, and any of them absent in any item of a batch: the content of what is absent is never
      read (``torch.where``, since 0 * NaN is NaN), and no Python branch depends on the value of a tensor;
    - all weights are parameters, so that they are trained, saved and counted;
    - ``additive`` says whether, with every modality present, y is a sum of terms that each depend on one modality.

    ``level`` says what is fused: the encoders' features, or (late fusion) the logits of one head per modality, then
    d is the number of classes.
    """

    level: ClassVar[Literal["features", "logits"]] = "features"
    additive: bool = False

    def __init__(self, modalities: Sequence[str], width: int) -> None:
        super().__init__()
        self.modalities = tuple(modalities)
        self.width = width

    @abstractmethod
    def fuse(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        """``features[m]`` x float [B,L,d], ``present[m]`` bool [B] -> x float [B,L',d]."""

    def forward(self, features: Mapping[str, Feature], present: Mapping[str, Tensor]) -> Feature:
        """Same as ``fuse``."""
        return self.fuse(features, present)


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


def fusion_level(name: str) -> Literal["features", "logits"]:
    """What the operator registered under ``name`` joins."""
    level: Literal["features", "logits"] = registry.fusion.get(name).level
    return level
