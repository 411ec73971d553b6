"""Conditions as they are asked for: ``noise:rgb=3`` is the condition noise on the modality rgb at severity 3."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mmbench.conditions.catalogue import condition_named
from mmbench.conditions.condition import SEVERITIES, Condition
from mmbench.core.errors import UsageError
from mmbench.core.key import CLEAN
from mmbench.core.sample import Sample
from mmbench.core.source import Modality

_WRITTEN = re.compile(r"(?P<name>[a-z-]+):(?P<modality>[^:=]+)=(?P<severity>[0-9]+)")


@dataclass(frozen=True, slots=True)
class Applied:
    """A condition on one modality at a severity 1..5; its text is what was asked for."""

    condition: Condition
    modality: Modality
    severity: int

    def __str__(self) -> str:
        return f"{self.condition.name}:{self.modality.name}={self.severity}"


def parse_conditions(texts: Iterable[str], modalities: Mapping[str, Modality]) -> tuple[Applied, ...]:
    """What ``NAME:MODALITY=SEVERITY`` means for a suite, in the order of their texts, in which they are applied.

    Severity 0 is the identity: such a one is left out, and the run is clean. Raises UsageError for another form, an
    unknown name, modality or severity, a modality of another kind, and a condition that is named twice.
    """
    found = sorted((_parsed(text, modalities) for text in texts), key=str)
    places = [(one.condition.name, one.modality.name) for one in found]
    for place in places:
        if places.count(place) > 1:
            raise UsageError(f"--condition {':'.join(place)} is given twice; give it once, with one severity.")
    return tuple(one for one in found if one.severity)


def described(conditions: Sequence[Applied]) -> str:
    """``absent:depth=5,noise:rgb=3``, or ``clean``: as it stands in records and comparability keys."""
    return ",".join(map(str, conditions)) or CLEAN


def changed(sample: Sample, conditions: Iterable[Applied]) -> Sample:
    """The sample under the conditions, one after the other; the same object under none."""
    for one in conditions:
        sample = one.condition.apply(sample, one.modality, one.severity)
    return sample


def _parsed(text: str, modalities: Mapping[str, Modality]) -> Applied:
    match = _WRITTEN.fullmatch(text)
    if match is None:
        raise UsageError(
            f"--condition {text!r} is not a condition; expected NAME:MODALITY=SEVERITY, as in noise:rgb=3; the names: "
            "mmbench show conditions."
        )
    condition, name, severity = condition_named(match["name"]), match["modality"], int(match["severity"])
    if name not in modalities:
        raise UsageError(f"--condition {text}: the suite has no {name!r}; it has: {', '.join(modalities)}.")
    modality = modalities[name]
    if modality.kind not in condition.kinds:
        fitting = ", ".join(condition.kinds)
        raise UsageError(f"--condition {text}: {condition.name} is for {fitting}, but {name!r} is {modality.kind}.")
    if severity not in SEVERITIES:
        raise UsageError(f"--condition {text}: there is no severity {severity}; expected 0 (nothing is done) to 5.")
    return Applied(condition, modality, severity)
