"""Questions about a picture: six for each, whose answers all differ.

Pictures come in pairs 2n, 2n + 1 that are asked the same six questions, word by word, and every answer of the one
differs from that of the other. So a question alone tells only its type's answers, all equally likely, and a picture
alone not which of its six answers is wanted. All objects but one have the same texture, which is the picture's class in
the joint task.

Object 0 is the only one of its shape (its colour is asked), object 1 the only one of its colour (its shape and its
texture are asked), object 2 the one that is there in this picture and not in the other; the others are bystanders.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from mmbench.core.bounds import Bounds
from mmbench.core.sample import Array
from mmbench.core.source import Modality
from mmbench.sources.scenes import SPEC_VERSION, rgb, words
from mmbench.sources.scenes.item_balance import even, twin
from mmbench.sources.scenes.layout import Look, arranged, natural, words_for
from mmbench.sources.scenes.looks import look_labels, look_map
from mmbench.sources.scenes.scene import Scene
from mmbench.sources.scenes.stream import Draws
from mmbench.sources.scenes.tasks.accuracy import DIGITS
from mmbench.sources.scenes.tasks.question import METRIC, TYPE, Question
from mmbench.sources.scenes.tasks.task import IMAGE, TEXT, Item

LAW = natural("S")
FEWEST = 3  # objects of a picture; there are as many counts as words.NUMBERS
TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "exists": ("is there a {colour} {shape}", "is a {colour} {shape} there", "a {colour} {shape} is there"),
    "colour": ("what colour is the {shape}", "the {shape} is of what colour", "of what colour is the {shape}"),
    "shape": ("what shape is the {colour} thing", "the {colour} thing is of what shape"),
    "pattern": ("what pattern is on the {colour} thing", "the {colour} thing shows what pattern"),
    "count": ("how many things is it", "how many things in the picture", "it shows how many things"),
}
KINDS = ("exists", "exists", "colour", "shape", "pattern", "count")  # by part
ANSWERS = (words.YES, words.NO, *words.COLOURS, *words.SHAPES, *words.TEXTURES, *words.NUMBERS)
# Answers of a type, all equally likely whatever the wording.
CHOICES: Mapping[str, int] = {"exists": 2, "colour": 8, "shape": 6, "pattern": 4, "count": 5}

_PAIRS = len(words.COLOURS) * len(words.SHAPES)
# Number of the first question of each type; the second carriers follow.
_FIRST: Mapping[str, int] = {
    "exists": 0,
    "colour": _PAIRS,
    "shape": _PAIRS + 6,
    "pattern": _PAIRS + 14,
    "count": _PAIRS + 22,
}
SENSES = _PAIRS + 23


class _Plan(NamedTuple):
    """What a pair of pictures shares: the lone shape and colour, what exists in the one and in the other, wordings."""

    shape: int
    colour: int
    exists: tuple[tuple[int, int], tuple[int, int]]
    swapped: int
    wordings: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class QuestionAnswering:
    """Question answering on pictures; a sample's target is the answer as text."""

    name: str = "vqa"
    modalities: tuple[Modality, ...] = (IMAGE, TEXT)
    regimes: tuple[str, ...] = (LAW.name,)
    parts: int = len(KINDS)

    def classes(self, regime: str) -> tuple[str, ...]:  # noqa: ARG002
        """All answers."""
        return ANSWERS

    def inputs(self, item: Item) -> dict[str, Any]:
        """``image`` and the question as ``text``."""
        return {"image": rgb.render(self.scene(item)), "text": self.question(item).text}

    def target(self, item: Item) -> Any:
        """The answer."""
        return self.question(item).answer

    def tags(self, item: Item) -> dict[str, str]:
        """The question's type."""
        return {TYPE: KINDS[item.part]}

    def stratum(self, item: Item) -> str:
        """The question's type."""
        return KINDS[item.part]

    def signature(self, item: Item, modality: str) -> Array:
        """Of the picture a map of looks (``scenes.looks``), of the text which question it is, int64 []."""
        if modality == "image":
            return look_map(self.scene(item))
        return np.array(self.question(item).asked, dtype=np.int64)

    def signature_classes(self, regime: str, modality: str) -> int:  # noqa: ARG002
        """Number of labels ``signature`` may hold."""
        return look_labels() if modality == "image" else SENSES

    def bounds(self, regime: str, items: Sequence[Item]) -> tuple[Bounds, ...]:  # noqa: ARG002
        """Bounds of ``answer_accuracy``."""
        return (answer_bounds([KINDS[item.part] for item in items]),) if items else ()

    def policies(self, items: Sequence[Item], observed: Sequence[str]) -> Mapping[str, list[Any]]:  # noqa: ARG002
        """None: the bounds are complete."""
        return {}

    def traits(self, item: Item) -> Mapping[str, frozenset[str]]:
        """Pairs of shape and colour in picture and question, number of objects, wording of the question."""
        things, question = self.scene(item).things, self.question(item)
        pairs = {f"{thing.shape} {thing.colour}" for thing in things}
        if question.kind == "exists":
            colour, shape = divmod(question.asked, len(words.SHAPES))
            pairs.add(f"{shape} {colour}")
        wording = f"{KINDS[item.part]} {_plan(self.name, item.split, item.scene // 2).wordings[item.part]}"
        return {
            "pairs": frozenset(pairs),
            "objects": frozenset([str(len(things))]),
            "templates": frozenset([wording]),
        }

    def scene(self, item: Item) -> Scene:
        """The latents of the picture."""
        draws = Draws(30 + words_for(7), self.name, item.split, "image", item.scene)
        plan, value = _plan(self.name, item.split, item.scene // 2), self._values(item)
        common = self.majority(item)
        here, there = plan.exists[:: -1 if item.scene % 2 else 1]
        looks = [
            Look(plan.shape, value["colour"], common),
            Look(value["shape"], plan.colour, value["pattern"]),
            Look(here[1], here[0], common),
        ]
        while len(looks) < FEWEST + value["count"]:
            looks.append(_bystander(draws, plan, there, common))
        return arranged(draws, LAW, item.canvas, looks)

    def majority(self, item: Item) -> int:
        """The texture of all objects but one: the class of the joint task."""
        return even(len(words.TEXTURES), item.scene, self.name, item.split, "majority")

    def question(self, item: Item) -> Question:
        """The question and its answer."""
        plan, value, kind = _plan(self.name, item.split, item.scene // 2), self._values(item), KINDS[item.part]
        colour, shape, asked, answer = plan.colour, plan.shape, 0, ""
        if kind == "exists":
            which = (item.part + plan.swapped) % 2
            colour, shape = plan.exists[which]
            asked, answer = colour * len(words.SHAPES) + shape, words.YES if which == item.scene % 2 else words.NO
        elif kind == "colour":
            asked, answer = shape, words.COLOURS[value["colour"]]
        elif kind == "shape":
            asked, answer = colour, words.SHAPES[value["shape"]]
        elif kind == "pattern":
            asked, answer = colour, words.TEXTURES[value["pattern"]]
        else:
            answer = words.NUMBERS[value["count"]]
        text = TEMPLATES[kind][plan.wordings[item.part]]
        return Question(
            kind, _FIRST[kind] + asked, text.format(colour=words.COLOURS[colour], shape=words.SHAPES[shape]), answer
        )

    def _values(self, item: Item) -> dict[str, int]:
        return _values(self.name, item.split, item.scene)


@lru_cache(maxsize=4096)
def _values(task: str, split: str, scene: int) -> dict[str, int]:
    """The answers of a picture as numbers, of all types but ``exists``; each differs from its twin's."""
    kinds = ("colour", "shape", "pattern", "count")
    return {kind: twin(CHOICES[kind], scene, task, split, kind) for kind in kinds}


@lru_cache(maxsize=4096)
def _plan(task: str, split: str, pair: int) -> _Plan:
    draws = Draws(16, task, split, "pair", pair)
    values = [_values(task, split, 2 * pair + side) for side in (0, 1)]
    shape = _other(draws, len(words.SHAPES), [value["shape"] for value in values])
    colour = _other(draws, len(words.COLOURS), [value["colour"] for value in values])
    first = _other(draws, len(words.COLOURS), [colour]), _other(draws, len(words.SHAPES), [shape])
    if draws.below(2):  # what is there and what is not share the shape, or the colour
        second = _other(draws, len(words.COLOURS), [colour, first[0]]), first[1]
    else:
        second = first[0], _other(draws, len(words.SHAPES), [shape, first[1]])
    wordings = tuple(draws.below(len(TEMPLATES[kind])) for kind in KINDS)
    return _Plan(shape, colour, (first, second), draws.below(2), wordings)


def _bystander(draws: Draws, plan: _Plan, absent: tuple[int, int], texture: int) -> Look:
    """An object that answers no question: not of the lone shape or colour, not what is asked for in vain."""
    colour = _other(draws, len(words.COLOURS), [plan.colour])
    shape = _other(draws, len(words.SHAPES), [plan.shape, absent[1]] if colour == absent[0] else [plan.shape])
    return Look(shape, colour, texture)


def _other(draws: Draws, values: int, taken: Sequence[int]) -> int:
    """A value 0..values-1 that is not taken; all others equally likely."""
    free = [value for value in range(values) if value not in taken]
    return free[draws.below(len(free))]


def answer_bounds(kinds: Sequence[str]) -> Bounds:
    """Bounds of the accuracy on questions of these types, six a picture.

    By the law: a question alone leaves its type's answers equally likely, a picture alone (whose answers all differ)
    lets one of its six be right, for instance the number of objects. Nothing at all: yes, which is right in half of the
    questions of two types of six.
    """
    count = len(kinds)
    text = sum(1 / CHOICES[kind] for kind in kinds) / count
    constant = max(kinds.count(kind) / CHOICES[kind] for kind in CHOICES) / count
    image = max(kinds.count("exists") / 2, *(kinds.count(kind) for kind in CHOICES if kind != "exists")) / count
    return Bounds(
        metric=METRIC,
        chance=round(constant, DIGITS),
        unimodal={"image": round(image, DIGITS), "text": round(text, DIGITS)},
        fused=1.0,
        spec_version=SPEC_VERSION,
    )
