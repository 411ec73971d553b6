"""Decoders of captioning, and the reader of captions that counts rightly named slots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmbench.sources.scenes.geometry import GRID
from mmbench.sources.scenes.oracles import hear, read, see
from mmbench.sources.scenes.regimes import BLANK
from mmbench.sources.scenes.tasks.caption import SLOTS, TEMPLATES

# The templates whose CIDEr is best among the policies, on any tier: with the picture, and with the sound alone.
BEST_SEEN, BEST_HEARD = 7, 1


@dataclass(frozen=True, slots=True)
class CaptionOracle:
    """One template; what is not observed is always the first word of its slot."""

    observed: tuple[str, ...]
    template: int = BEST_SEEN

    @classmethod
    def best(cls, observed: tuple[str, ...]) -> CaptionOracle:
        """With the template whose CIDEr is best for what is observed."""
        return cls(observed, BEST_SEEN if "image" in observed else BEST_HEARD)

    def predict(self, sample_id: str, inputs: Mapping[str, Any]) -> str:  # noqa: ARG002
        """The caption."""
        named = dict.fromkeys(SLOTS, 0)
        if "image" in self.observed:
            named |= _seen(see.look(inputs["image"]))
        if "audio" in self.observed:
            pitches = hear.listen(inputs["audio"]).pitches
            named |= {"pitch": pitches[0], "times": hear.count(inputs["audio"]) - 1}
        return TEMPLATES[self.template].format(**{name: SLOTS[name][value] for name, value in named.items()})


def slots_of(caption: str) -> dict[str, int | None]:
    """What a caption names in each slot, None where it names nothing."""
    return {name: read.one_of(caption, choices) for name, choices in SLOTS.items()}


def slot_accuracy(caption: str, reference: str) -> float:
    """Share of the five slots in which a caption names what a reference names."""
    ours, theirs = slots_of(caption), slots_of(reference)
    return sum(ours[name] == theirs[name] for name in SLOTS) / len(SLOTS)


def _seen(picture: see.Picture) -> dict[str, int]:
    """Colour and shape of the patterned thing and where it is from the plain one."""
    patterned = next(found for found in picture.objects if found.texture != BLANK)
    plain = next(found for found in picture.objects if found.texture == BLANK)
    (row, column), (other_row, other_column) = divmod(patterned.cell, GRID), divmod(plain.cell, GRID)
    relation = int(column > other_column) if row == other_row else 2 + int(row > other_row)
    return {"colour": patterned.colour, "shape": patterned.shape, "relation": relation}
