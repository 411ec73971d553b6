"""Questions about the sounding thing: picture, recording and question are all needed.

The four objects differ in texture, colour and shape; the pitch of the recording tells which texture is the one that
sounds; the question asks for its place, its colour or its shape.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmbench.core.bounds import Bounds
from mmbench.core.sample import Array
from mmbench.core.source import Modality
from mmbench.sources.scenes import SPEC_VERSION, audio, rgb, words
from mmbench.sources.scenes.geometry import GRID
from mmbench.sources.scenes.item_balance import even
from mmbench.sources.scenes.layout import Look, arranged, cell_of, natural, words_for
from mmbench.sources.scenes.looks import look_labels, look_map
from mmbench.sources.scenes.scene import PRIMARY, Scene, Thing
from mmbench.sources.scenes.stream import Draws, permutation
from mmbench.sources.scenes.tasks.accuracy import DIGITS
from mmbench.sources.scenes.tasks.question import METRIC, TYPE
from mmbench.sources.scenes.tasks.task import AUDIO, IMAGE, TEXT, Item

LAW = natural("S")
OBJECTS = 4
KINDS = ("place", "colour", "shape")  # by part
TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "place": ("where is the sounding thing", "where in the picture is the thing that sounds"),
    "colour": ("what colour is the sounding thing", "the thing that sounds is of what colour"),
    "shape": ("what shape is the sounding thing", "the thing that sounds is of what shape"),
}
CELLS = tuple(words.cell_name(cell) for cell in range(GRID * GRID))
CHOICES: Mapping[str, int] = {"place": len(CELLS), "colour": len(words.COLOURS), "shape": len(words.SHAPES)}


@dataclass(frozen=True, slots=True)
class SoundingThing:
    """Question answering on a picture and a recording; a sample's target is the answer as text."""

    name: str = "vqa-av"
    modalities: tuple[Modality, ...] = (IMAGE, AUDIO, TEXT)
    regimes: tuple[str, ...] = (LAW.name,)
    parts: int = len(KINDS)

    def classes(self, regime: str) -> tuple[str, ...]:  # noqa: ARG002
        """All answers."""
        return (*CELLS, *words.COLOURS, *words.SHAPES)

    def inputs(self, item: Item) -> dict[str, Any]:
        """``image``, ``audio`` and the question as ``text``."""
        return {"image": rgb.render(self.scene(item)), "audio": audio.render(self.clip(item)), "text": self.text(item)}

    def target(self, item: Item) -> Any:
        """The answer."""
        sounding = self.scene(item).things[0]
        kind = KINDS[item.part]
        if kind == "place":
            return CELLS[cell_of(sounding, item.canvas)]
        return words.COLOURS[sounding.colour] if kind == "colour" else words.SHAPES[sounding.shape]

    def tags(self, item: Item) -> dict[str, str]:
        """The question's type."""
        return {TYPE: KINDS[item.part]}

    def stratum(self, item: Item) -> str:
        """The question's type."""
        return KINDS[item.part]

    def signature(self, item: Item, modality: str) -> Array:
        """Of the picture a map of looks (``scenes.looks``), of the recording its pitch, of the text its type."""
        if modality == "image":
            return look_map(self.scene(item))
        return np.array(self._pitch(item) if modality == "audio" else item.part, dtype=np.int64)

    def signature_classes(self, regime: str, modality: str) -> int:  # noqa: ARG002
        """Number of labels ``signature`` may hold."""
        return {"image": look_labels(), "audio": len(audio.PITCHES), "text": len(KINDS)}[modality]

    def bounds(self, regime: str, items: Sequence[Item]) -> tuple[Bounds, ...]:  # noqa: ARG002
        """Bounds of ``answer_accuracy``, also of pairs: the gain of all three is measured against the best of them."""
        return (_bounds([KINDS[item.part] for item in items]),) if items else ()

    def policies(self, items: Sequence[Item], observed: Sequence[str]) -> Mapping[str, list[Any]]:  # noqa: ARG002
        """None: the bounds are complete."""
        return {}

    def traits(self, item: Item) -> Mapping[str, frozenset[str]]:
        """Pairs of shape and colour, wording of the question."""
        return {
            "pairs": frozenset(f"{thing.shape} {thing.colour}" for thing in self.scene(item).things),
            "templates": frozenset([f"{KINDS[item.part]} {self._wording(item)}"]),
        }

    def scene(self, item: Item) -> Scene:
        """The latents of the picture; the first object is the one that sounds."""
        columns = [
            self._column(item, "texture", PRIMARY),
            self._column(item, "colour", CHOICES["colour"]),
            self._column(item, "shape", CHOICES["shape"]),
        ]
        looks = [Look(shape, colour, texture) for texture, colour, shape in zip(*columns, strict=True)]
        draws = Draws(words_for(OBJECTS), self.name, item.split, "image", item.scene)
        return arranged(draws, LAW, item.canvas, looks, self._column(item, "place", CHOICES["place"]))

    def clip(self, item: Item) -> audio.Clip:
        """The latents of the recording: one tone in two slots."""
        draws = Draws(5, self.name, item.split, "audio", item.scene)
        hiss, hum = audio.word(draws), audio.word(draws)
        onset = draws.between(0, audio.SAMPLES - 2 * audio.SLOT)
        sound = audio.Tone(self._pitch(item), onset, 2 * audio.SLOT, audio.loudness(draws), audio.word(draws))
        return audio.Clip(LAW.cue, (sound,), hiss, hum)

    def text(self, item: Item) -> str:
        """The question."""
        return TEMPLATES[KINDS[item.part]][self._wording(item)]

    def _wording(self, item: Item) -> int:
        choices = len(TEMPLATES[KINDS[item.part]])
        return Draws(1, self.name, item.split, "text", item.scene, item.part).below(choices)

    def _pitch(self, item: Item) -> int:
        return self._sounding(item).shown[0]

    def _sounding(self, item: Item) -> Thing:
        return self.scene(item).things[0]

    def _column(self, item: Item, name: str, values: int) -> list[int]:
        """Different values of four objects; that of the first is balanced over scenes."""
        first = even(values, item.scene, self.name, item.split, name)
        others = permutation(values, self.name, item.split, name, "others", item.scene).tolist()
        return [first, *(value for value in others if value != first)][:OBJECTS]


def _bounds(kinds: Sequence[str]) -> Bounds:
    """By the law: without the sound one of four objects, without the picture any answer of the type."""
    count = len(kinds)
    by_type = sum(1 / CHOICES[kind] for kind in kinds) / count
    largest = max(kinds.count(kind) for kind in CHOICES) / count
    constant = max(kinds.count(kind) / CHOICES[kind] for kind in CHOICES) / count
    values = {
        "image": largest / OBJECTS,
        "audio": constant,
        "text": by_type,
        "image+audio": largest,
        "image+text": 1 / OBJECTS,
        "audio+text": by_type,
    }
    return Bounds(
        metric=METRIC,
        chance=round(constant, DIGITS),
        unimodal={name: round(value, DIGITS) for name, value in values.items()},
        fused=1.0,
        spec_version=SPEC_VERSION,
    )
