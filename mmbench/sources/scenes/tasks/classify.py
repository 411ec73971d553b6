"""Classification: one class an item, bound by a law to what a picture, a text and a recording show.

A picture shows its signature in the texture of all its objects, a text in a code word, a recording in the pitch of a
tone; the second carriers of 8 and 16 signatures are the objects' colour, a second code word, the pitch of a second,
later tone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmbench.core.bounds import Bounds
from mmbench.core.sample import Array
from mmbench.core.source import Modality
from mmbench.sources.scenes import audio, rgb, signs
from mmbench.sources.scenes.geometry import SHAPES
from mmbench.sources.scenes.item_balance import shown_in
from mmbench.sources.scenes.label_laws import Shown, laws_named
from mmbench.sources.scenes.layout import Look, arranged, words_for
from mmbench.sources.scenes.regimes import BLANK, Law
from mmbench.sources.scenes.scene import COLOURS, PRIMARY, Scene
from mmbench.sources.scenes.stream import Draws
from mmbench.sources.scenes.tasks.accuracy import accuracy_bounds
from mmbench.sources.scenes.tasks.task import TAG, Item

FEWEST, MOST = 3, 6  # objects of a picture

_AUDIO_WORDS = 11
_TONE = 2 * audio.SLOT


@dataclass(frozen=True, slots=True)
class Classification:
    """Classification from ``modalities``; a sample's target is its class, 0..k-1."""

    name: str
    modalities: tuple[Modality, ...]
    regimes: tuple[str, ...]
    parts: int = 1

    def classes(self, regime: str) -> tuple[str, ...]:
        """class-1 to class-k."""
        return tuple(f"class-{label}" for label in range(1, 1 + max(law.classes for law in laws_named(regime))))

    def inputs(self, item: Item) -> dict[str, Any]:
        """The renderings of one item."""
        shown = self._shown(item)
        return {modality.name: self._rendered(modality.name, item, shown) for modality in self.modalities}

    def target(self, item: Item) -> int:
        """The class, an index into ``classes``."""
        return self._shown(item).label

    def tags(self, item: Item) -> dict[str, str]:
        """In regime X, the law."""
        return {TAG: self.stratum(item)} if item.regime == "X" else {}

    def stratum(self, item: Item) -> str:
        """The law."""
        return self._shown(item).law.name

    def signature(self, item: Item, modality: str) -> Array:
        """int64 []: the signature; the law's signatures are followed by a blank one where it has any.

        In regime X the four laws' labels follow one another.
        """
        position = self._position(modality)
        law, _, shown = self._shown(item)
        laws = laws_named(item.regime)
        first = sum(_labels(other, position) for other in laws[: laws.index(law)])
        return np.array(first + (law.signatures if shown[position] == BLANK else shown[position]), dtype=np.int64)

    def signature_classes(self, regime: str, modality: str) -> int:
        """Number of labels ``signature`` may give."""
        return sum(_labels(law, self._position(modality)) for law in laws_named(regime))

    def bounds(self, regime: str, items: Sequence[Item]) -> tuple[Bounds, ...]:
        """Bounds of ``accuracy``."""
        names = [modality.name for modality in self.modalities]
        return accuracy_bounds([self._shown(item) for item in items], names, mixed=regime == "X")

    def policies(self, items: Sequence[Item], observed: Sequence[str]) -> Mapping[str, list[Any]]:  # noqa: ARG002
        """None: the bounds are complete."""
        return {}

    def traits(self, item: Item) -> Mapping[str, frozenset[str]]:
        """How many objects the picture shows."""
        return {"objects": frozenset([str(len(_picture(self.name, item, self._shown(item)).things))])}

    def _shown(self, item: Item) -> Shown:
        return shown_in(self.name, item.regime, item.split, item.scene)

    def _position(self, modality: str) -> int:
        return [m.name for m in self.modalities].index(modality)

    def _rendered(self, modality: str, item: Item, shown: Shown) -> Any:
        signature = shown.shown[self._position(modality)]
        if modality == "image":
            return rgb.render(_picture(self.name, item, shown))
        if modality == "text":
            return signs.render(shown.law, signature, self.name, item.regime, item.split, "text", item.scene)
        return audio.render(_clip(self.name, item, shown.law, signature))


def _labels(law: Law, modality: int) -> int:
    return law.signatures + law.blanks(modality)


def _picture(task: str, item: Item, shown: Shown) -> Scene:
    """Three to six objects of one texture, which is the signature of the first modality."""
    law, _, (signature, *_) = shown
    draws = Draws(1 + 2 * MOST + words_for(MOST), task, item.regime, item.split, "image", item.scene)
    texture = BLANK if signature == BLANK else signature % PRIMARY
    looks = []
    for _ in range(draws.between(FEWEST, MOST)):
        shape, colour = draws.below(len(SHAPES)), draws.below(COLOURS)
        told = law.signatures > PRIMARY and signature != BLANK
        looks.append(Look(shape, signature // PRIMARY if told else colour, texture))
    return arranged(draws, law, item.canvas, looks)


def _clip(task: str, item: Item, law: Law, signature: int) -> audio.Clip:
    """One tone of .4 s; two, in different halves of the clip, where a second pitch is the second carrier."""
    draws = Draws(_AUDIO_WORDS, task, item.regime, item.split, "audio", item.scene)
    hiss, hum = audio.word(draws), audio.word(draws)
    if law.signatures > PRIMARY and signature != BLANK:
        pitches = [signature % PRIMARY, signature // PRIMARY]
    else:
        pitches = [BLANK if signature == BLANK else signature]
    span = audio.SAMPLES // len(pitches)
    tones = []
    for place, pitch in enumerate(pitches):
        onset = place * span + draws.between(0, span - _TONE)
        tones.append(audio.Tone(pitch, onset, _TONE, audio.loudness(draws), audio.word(draws)))
    return audio.Clip(law.cue, tuple(tones), hiss, hum)
