"""Training on less: a nested part of the training samples, or uneven classes. The other splits stay whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mmbench.conditions.subsets import imbalanced, nested
from mmbench.core.errors import UsageError
from mmbench.core.sample import Array, Sample
from mmbench.core.source import Modality, SignedSource, Source, TargetedSource
from mmbench.core.targets import JointTarget


@dataclass(frozen=True, slots=True)
class Subset:
    """``part`` in 100 of the samples' groups, each class in proportion; the first class ``imbalance`` times the last.

    A smaller part lies within a larger one (``conditions.subsets``), so that curves over parts share their samples.
    Another ``seed`` draws another part.
    """

    part: int = 100
    imbalance: int = 1
    seed: int = 0

    def of(self, source: Source) -> Source:
        """The chosen samples of a training split; the source itself when all are.

        Raises UsageError on another part or ratio, and on an imbalance where samples have no class.
        """
        if self == WHOLE:
            return source
        bare = {sample_id: _bare(source, sample_id) for sample_id in source.ids}
        kept = self._uneven(bare) if self.imbalance != 1 else list(bare)
        groups = {sample_id: bare[sample_id].group or sample_id for sample_id in kept}
        strata: dict[str, str] = {}
        for sample_id, group in groups.items():
            strata.setdefault(group, _stratum(source, bare[sample_id]))
        ids = tuple(nested(groups, self.part, strata, self.seed))
        return SelectedSigned(source, ids) if isinstance(source, SignedSource) else Selected(source, ids)

    def _uneven(self, samples: Mapping[str, Sample]) -> list[str]:
        labels = {sample_id: _class(sample.target) for sample_id, sample in samples.items()}
        known = {sample_id: label for sample_id, label in labels.items() if label is not None}
        if len(known) < len(labels):
            raise UsageError(
                "--imbalance needs samples of one class each, which this suite's are not; choose a suite of "
                "classification, or leave it out."
            )
        return imbalanced(known, self.imbalance)


WHOLE = Subset()


@dataclass(frozen=True)
class Selected:
    """Some samples of a source; all else is the source's."""

    source: Source
    ids: Sequence[str]

    @property
    def classes(self) -> tuple[str, ...]:
        """As in ``Source``."""
        return self.source.classes

    @property
    def modalities(self) -> Mapping[str, Modality]:
        """As in ``Source``."""
        return self.source.modalities

    @property
    def ignore(self) -> int | None:
        """As in ``Source``."""
        return self.source.ignore

    def load(self, sample_id: str) -> Sample:
        """As in ``Source``."""
        return self.source.load(sample_id)

    def without_inputs(self, sample_id: str) -> Sample:
        """As in ``TargetedSource``."""
        return _bare(self.source, sample_id)

    def stamp(self, sample_id: str) -> str:
        """As in ``Source``."""
        return self.source.stamp(sample_id)

    def stratum(self, sample_id: str) -> str:
        """As in ``Source``."""
        return self.source.stratum(sample_id)


@dataclass(frozen=True)
class SelectedSigned(Selected):
    """Some samples of a source that knows signatures."""

    source: Any

    def signature(self, sample_id: str, modality: str) -> Array:
        """As in ``SignedSource``."""
        return self.source.signature(sample_id, modality)  # type: ignore[no-any-return]

    def signature_classes(self, modality: str) -> int:
        """As in ``SignedSource``."""
        return self.source.signature_classes(modality)  # type: ignore[no-any-return]


def _bare(source: Source, sample_id: str) -> Sample:
    if isinstance(source, TargetedSource):
        return source.without_inputs(sample_id)
    return replace(source.load(sample_id), inputs={})


def _class(target: Any) -> int | None:
    """The class of a sample, that of its classification where there are several tasks."""
    found = target.parts.get("classification") if isinstance(target, JointTarget) else target
    return int(found) if isinstance(found, int | np.integer) else None


def _stratum(source: Source, sample: Sample) -> str:
    label = _class(sample.target)
    return source.stratum(sample.id) if label is None else f"{source.stratum(sample.id)} {label}"
