"""Decoders of classification: what each modality shows, then the law."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmbench.sources.scenes.label_chances import chances
from mmbench.sources.scenes.label_laws import laws_named
from mmbench.sources.scenes.oracles import additive, hear, read, see
from mmbench.sources.scenes.regimes import Law


@dataclass(frozen=True, slots=True)
class ClassOracle:
    """The likeliest class given what the modalities ``observed`` show, of equal ones the first.

    ``modalities`` are all of the suite in its order. With ``additive`` the largest sum of per-modality logits instead.
    """

    regime: str
    modalities: tuple[str, ...]
    observed: tuple[str, ...]
    additive: bool = False

    def predict(self, sample_id: str, inputs: Mapping[str, Any]) -> int:  # noqa: ARG002
        """The class 0..k-1 from the rendered ``inputs``."""
        law = self._law(inputs)
        seen = {self.modalities.index(name): _shown(name, inputs[name], law.signatures) for name in self.observed}
        if self.additive:
            return additive.decide(law, [seen[place] for place in range(len(self.modalities))])
        likely = chances(law, seen)
        return max(likely, key=lambda label: likely[label])

    def _law(self, inputs: Mapping[str, Any]) -> Law:
        """The law that the cue of the first modality observed tells, where several are mixed."""
        laws = laws_named(self.regime)
        if len(laws) == 1:
            return laws[0]
        name = self.observed[0]
        cue = _cue(name, inputs[name])
        return next(law for law in laws if law.cue == cue)


def _cue(modality: str, value: Any) -> int:
    if modality == "image":
        return see.look(value).cue
    return hear.listen(value).cue if modality == "audio" else read.cue(value)


def _shown(modality: str, value: Any, signatures: int) -> int:
    if modality == "image":
        return see.signature(see.look(value), signatures)
    return hear.signature(value, signatures) if modality == "audio" else read.signature(value, signatures)
