"""What a generated suite claims that a modality cannot do, as labels that a probe is to predict and its bound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mmbench.core.parts import own_name, part_of
from mmbench.core.sample import Sample
from mmbench.core.targets import JointTarget
from mmbench.sources.scenes.leaks import secrets_of, units
from mmbench.sources.scenes.source import SceneSource

# Units (samples; of segmentation and detection objects) that are kept of a split.
MOST_UNITS = 4_096
# A bound of accuracy is one of these metrics, of one label a sample.
_ACCURACIES = ("accuracy", "answer_accuracy")


class Claim(NamedTuple):
    """Nobody who sees ``modality`` alone is right on more than ``bound`` (0..1) of the units of ``labels``."""

    modality: str
    about: str
    labels: Mapping[str, str]
    bound: float


def units_of(source: SceneSource) -> dict[str, Sample]:
    """The first units of a split by id."""
    found: dict[str, Sample] = {}
    for sample_id in source.ids:
        found |= {unit.id: unit for unit in units(source.load(sample_id))}
        if len(found) >= MOST_UNITS:
            break
    return found


def claims_of(source: SceneSource, samples: Mapping[str, Sample]) -> list[Claim]:
    """All claims about the units ``samples``: secrets, of which the commonest label is the best guess, then U*_m.

    U*_m is left out where a secret already speaks of the same labels.
    """
    found = [
        Claim(modality, about, labels, max(Counter(labels.values()).values()) / len(labels))
        for modality, about, labels in secrets_of(source, samples)
    ]
    known = [(claim.modality, claim.labels) for claim in found]
    return [*found, *(one for one in _unimodal(source, samples) if (one.modality, one.labels) not in known)]


def _unimodal(source: SceneSource, samples: Mapping[str, Sample]) -> Iterator[Claim]:
    ids = [sample_id for sample_id in samples if sample_id in set(source.ids)]
    for bounds in source.bounds(ids) if ids else ():
        if own_name(bounds.metric) in _ACCURACIES and not bounds.tag:
            labels = {sample_id: _label(samples[sample_id].target, part_of(bounds.metric)) for sample_id in ids}
            for modality in source.modalities:
                yield Claim(modality, bounds.metric, labels, bounds.unimodal[modality])


def _label(target: Any, part: str) -> str:
    return str(target.parts[part] if isinstance(target, JointTarget) else target)
