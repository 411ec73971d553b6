"""Decoders of question answering on pictures, with and without sound."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mmbench.sources.scenes import words
from mmbench.sources.scenes.oracles import hear, read, see
from mmbench.sources.scenes.tasks.vqa import FEWEST

# What a question alone is answered with: as good as any other answer of its type.
_CONSTANT: Mapping[str, str] = {
    "exists": words.YES,
    "colour": words.COLOURS[0],
    "shape": words.SHAPES[0],
    "pattern": words.TEXTURES[0],
    "count": words.NUMBERS[0],
    "place": words.cell_name(0),
}


@dataclass(frozen=True, slots=True)
class AskOracle:
    """Questions about a picture: both modalities, the text alone (a constant by type), the picture alone (a number)."""

    observed: tuple[str, ...]

    def predict(self, sample_id: str, inputs: Mapping[str, Any]) -> str:  # noqa: ARG002
        """The answer."""
        if "image" not in self.observed:
            return _CONSTANT[read.kind_of(inputs["text"])]
        picture = see.look(inputs["image"])
        return _answer(picture, inputs["text"]) if "text" in self.observed else _number(picture)


@dataclass(frozen=True, slots=True)
class SoundOracle:
    """Questions about the sounding thing, from any of picture, sound and question.

    Without the sound the first object is taken, without the question its shape is told, without the picture a constant.
    """

    observed: tuple[str, ...]

    def predict(self, sample_id: str, inputs: Mapping[str, Any]) -> str:  # noqa: ARG002
        """The answer."""
        kind = read.kind_of(inputs["text"]) if "text" in self.observed else "shape"
        if "image" not in self.observed:
            return _CONSTANT[kind]
        objects = see.look(inputs["image"]).objects
        if "audio" in self.observed:
            pitch = hear.signature(inputs["audio"], len(words.PITCHES))
            objects = tuple(found for found in objects if found.texture == pitch)
        if kind == "place":
            return words.cell_name(objects[0].cell)
        return words.COLOURS[objects[0].colour] if kind == "colour" else words.SHAPES[objects[0].shape]


def majority(picture: see.Picture) -> int:
    """The texture of most objects."""
    return Counter(found.texture for found in picture.objects).most_common(1)[0][0]


def _number(picture: see.Picture) -> str:
    return words.NUMBERS[len(picture.objects) - FEWEST]


def _answer(picture: see.Picture, question: str) -> str:
    kind = read.kind_of(question)
    if kind == "count":
        return _number(picture)
    named = {"colour": read.one_of(question, words.COLOURS), "shape": read.one_of(question, words.SHAPES)}
    meant = [found for found in picture.objects if _is(found, named)]
    if kind == "exists":
        return words.YES if meant else words.NO
    if kind == "colour":
        return words.COLOURS[meant[0].colour]
    return words.SHAPES[meant[0].shape] if kind == "shape" else words.TEXTURES[meant[0].texture]


def _is(found: see.Seen, named: Mapping[str, int | None]) -> bool:
    return named["colour"] in (None, found.colour) and named["shape"] in (None, found.shape)
