"""A source without its inputs: what predictions that were made elsewhere are scored on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmbench.core.model import Model, StoredModel
from mmbench.core.sample import Sample
from mmbench.core.source import Source, TargetedSource


@dataclass(frozen=True)
class BareSource:
    """The source with ``without_inputs`` in the place of ``load``; picklable where the source is."""

    source: Any

    def load(self, sample_id: str) -> Sample:
        """Target, group and tags."""
        found: Sample = self.source.without_inputs(sample_id)
        return found

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "source":  # pickle asks before there is a source
            raise AttributeError(name)
        return getattr(self.source, name)


def source_for(model: Model, source: Source) -> Source:
    """What the model's samples are loaded from: without inputs where it asks for none."""
    if isinstance(model, StoredModel) and model.bare and isinstance(source, TargetedSource):
        bare: Source = BareSource(source)
        return bare
    return source
