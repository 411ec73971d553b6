"""What a condition is: a name, the kinds of modality it applies to, five levels and what a level does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from mmbench.conditions.stream import Stream
from mmbench.core.errors import UsageError
from mmbench.core.sample import Sample
from mmbench.core.source import Kind, Modality

SEVERITIES = range(6)

# (value, level, stream, modality) -> changed value, None for an absent one.
Change = Callable[[Any, int, Stream, Modality], Any]


@dataclass(frozen=True, slots=True)
class Condition:
    """``levels`` are those of the severities 1 to 5; severity 0 is the identity. ``unit`` says what a level counts."""

    name: str
    kinds: tuple[Kind, ...]
    levels: tuple[int, int, int, int, int]
    unit: str
    change: Change

    def apply(self, sample: Sample, modality: Modality, severity: int) -> Sample:
        """The sample with this modality changed; itself at severity 0 or when the modality is absent.

        The same id, condition, modality and severity always give the same bytes. Raises UsageError on a severity that
        is not 0..5 or a modality of another kind.
        """
        if severity not in SEVERITIES:
            raise UsageError(f"There is no severity {severity} of {self.name}; expected 0 to 5.")
        if modality.kind not in self.kinds:
            kinds = ", ".join(self.kinds)
            raise UsageError(f"The condition {self.name} is for {kinds}, but {modality.name!r} is {modality.kind}.")
        value = sample.inputs.get(modality.name)
        if severity == 0 or value is None:
            return sample
        stream = Stream(sample.id, self.name, modality.name, severity)
        changed = self.change(value, self.levels[severity - 1], stream, modality)
        others = {name: kept for name, kept in sample.inputs.items() if name != modality.name}
        return replace(sample, inputs=others if changed is None else {**others, modality.name: changed})
