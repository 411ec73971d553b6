"""Captioning of a picture with sound: what is where comes from the picture, what is heard and how often from the sound.

A caption has five slots: colour and shape of the patterned thing and where it is from the plain one (picture), pitch
and number of sounds (recording). Each scene has five references from eight templates, all of which name all slots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from mmbench.core.bounds import Bounds
from mmbench.core.sample import Array
from mmbench.core.source import Modality
from mmbench.sources.scenes import SPEC_VERSION, audio, rgb, words
from mmbench.sources.scenes.geometry import GRID
from mmbench.sources.scenes.item_balance import even
from mmbench.sources.scenes.layout import Look, arranged, natural, words_for
from mmbench.sources.scenes.looks import look_labels, look_map
from mmbench.sources.scenes.regimes import BLANK
from mmbench.sources.scenes.scene import PRIMARY, Scene
from mmbench.sources.scenes.stream import Draws, permutation
from mmbench.sources.scenes.tasks.accuracy import DIGITS
from mmbench.sources.scenes.tasks.task import AUDIO, IMAGE, Item

LAW = natural("C")
REFERENCES = 5
SLOT_METRIC = "slot_accuracy"  # share of the five slots that a caption names rightly
SLOTS: Mapping[str, tuple[str, ...]] = {
    "colour": words.COLOURS,
    "shape": words.SHAPES,
    "relation": words.RELATIONS,
    "pitch": words.PITCHES,
    "times": words.TIMES,
}
HEARD = ("pitch", "times")
_SEEN_PARTS = (
    "a {colour} {shape} is {relation} the plain thing",
    "the {colour} {shape} {relation} the plain thing",
    "{relation} the plain thing is a {colour} {shape}",
    "the picture shows a {colour} {shape} {relation} the plain thing",
)
_HEARD_PARTS = ("while a {pitch} sound is there {times}", "and it sounds {pitch} {times}")
TEMPLATES = tuple(f"{seen} {heard}" for seen in _SEEN_PARTS for heard in _HEARD_PARTS)


class Slots(NamedTuple):
    """What a caption says, each an index into its slot's words."""

    colour: int
    shape: int
    relation: int
    pitch: int
    times: int


@dataclass(frozen=True, slots=True)
class Captioning:
    """Captioning; a sample's target is a tuple of five references."""

    name: str = "caption"
    modalities: tuple[Modality, ...] = (IMAGE, AUDIO)
    regimes: tuple[str, ...] = (LAW.name,)
    parts: int = 1

    def classes(self, regime: str) -> tuple[str, ...]:  # noqa: ARG002
        """None: the answer is free text."""
        return ()

    def inputs(self, item: Item) -> dict[str, Any]:
        """``image`` and ``audio``."""
        return {"image": rgb.render(self.scene(item)), "audio": audio.render(self.clip(item))}

    def target(self, item: Item) -> Any:
        """Five captions of different templates."""
        chosen = self._templates(item)
        return tuple(_filled(TEMPLATES[template], self.slots(item)) for template in chosen)

    def tags(self, item: Item) -> dict[str, str]:  # noqa: ARG002
        """None."""
        return {}

    def stratum(self, item: Item) -> str:  # noqa: ARG002
        """All samples are of one kind."""
        return ""

    def signature(self, item: Item, modality: str) -> Array:
        """Of the picture a map of looks (``scenes.looks``), of the recording pitch x 4 + times, int64 []."""
        if modality == "image":
            return look_map(self.scene(item))
        slots = self.slots(item)
        return np.array(slots.pitch * len(words.TIMES) + slots.times, dtype=np.int64)

    def signature_classes(self, regime: str, modality: str) -> int:  # noqa: ARG002
        """Number of labels ``signature`` may hold."""
        return look_labels() if modality == "image" else len(words.PITCHES) * len(words.TIMES)

    def bounds(self, regime: str, items: Sequence[Item]) -> tuple[Bounds, ...]:  # noqa: ARG002
        """Bounds of ``slot_accuracy``; those of CIDEr are the best scores of ``policies``."""
        if not items:
            return ()
        guessed = {name: 1 / len(choices) for name, choices in SLOTS.items()}
        seen = {name: 1.0 for name in SLOTS if name not in HEARD}
        heard = dict.fromkeys(HEARD, 1.0)
        return (
            Bounds(
                metric=SLOT_METRIC,
                chance=_mean(guessed),
                unimodal={"image": _mean(guessed | seen), "audio": _mean(guessed | heard)},
                fused=1.0,
                spec_version=SPEC_VERSION,
            ),
        )

    def policies(self, items: Sequence[Item], observed: Sequence[str]) -> Mapping[str, list[Any]]:
        """Captions by policy: each template with slots that are not known guessed, or without the part that is not."""
        known = [name for name in SLOTS if ("audio" if name in HEARD else "image") in observed]
        sure = dict.fromkeys(known, True)
        slots = [self.slots(item) for item in items]
        found = {}
        for number, template in enumerate(TEMPLATES):
            found[f"template {number}"] = [_filled(template, _masked(slot, sure)) for slot in slots]
        for place, parts in enumerate((_SEEN_PARTS, _HEARD_PARTS)):
            if all(name in sure for name in SLOTS if (name in HEARD) == bool(place)):
                for number, part in enumerate(parts):
                    found[f"{'heard' if place else 'seen'} part {number} alone"] = [_filled(part, s) for s in slots]
        return found

    def traits(self, item: Item) -> Mapping[str, frozenset[str]]:
        """The pair of shape and colour that is described, and the templates of the references."""
        slots = self.slots(item)
        return {
            "pairs": frozenset([f"{slots.shape} {slots.colour}"]),
            "templates": frozenset(str(template) for template in self._templates(item)),
        }

    def slots(self, item: Item) -> Slots:
        """What the captions say; each slot is balanced over scenes, independently of the others."""
        return Slots(*(even(len(SLOTS[name]), item.scene, self.name, item.split, name) for name in SLOTS))

    def scene(self, item: Item) -> Scene:
        """The latents of the picture: the patterned thing, then the plain one."""
        slots = self.slots(item)
        draws = Draws(8 + words_for(2), self.name, item.split, "image", item.scene)
        patterned = Look(slots.shape, slots.colour, draws.below(PRIMARY))
        plain = Look(draws.below(len(words.SHAPES)), draws.below(len(words.COLOURS)), BLANK)
        return arranged(draws, LAW, item.canvas, (patterned, plain), _cells(draws, slots.relation))

    def clip(self, item: Item) -> audio.Clip:
        """The latents of the recording: one to four tones of .15 s in different fifths of the clip."""
        slots = self.slots(item)
        draws = Draws(2 + 5 + 3 * 4, self.name, item.split, "audio", item.scene)
        hiss, hum = audio.word(draws), audio.word(draws)
        fifth, length = audio.SAMPLES // 5, 3 * audio.SLOT // 4
        places = [0, 1, 2, 3, 4]
        for _ in range(5 - 1 - slots.times):
            places.pop(draws.below(len(places)))
        tones = tuple(
            audio.Tone(
                slots.pitch,
                place * fifth + draws.between(0, fifth - 2 * length),
                length,
                audio.loudness(draws),
                audio.word(draws),
            )
            for place in places
        )
        return audio.Clip(LAW.cue, tones, hiss, hum)

    def _templates(self, item: Item) -> list[int]:
        order = permutation(len(TEMPLATES), self.name, item.split, "references", item.scene)
        chosen: list[int] = order[:REFERENCES].tolist()
        return chosen


def _cells(draws: Draws, relation: int) -> tuple[int, int]:
    """Cells of the patterned and the plain thing, in one row or column."""
    line, first = draws.below(GRID), draws.below(GRID - 1)
    second = draws.between(first + 1, GRID - 1)
    low, high = (first, second) if relation % 2 == 0 else (second, first)
    if relation < 2:
        return line * GRID + low, line * GRID + high
    return low * GRID + line, high * GRID + line


def _masked(slots: Slots, known: Mapping[str, bool]) -> Slots:
    """The slots with those that are not known guessed: always the first word, as good as any other."""
    return Slots(*(value if name in known else 0 for name, value in slots._asdict().items()))


def _filled(template: str, slots: Slots) -> str:
    return template.format(**{name: SLOTS[name][value] for name, value in slots._asdict().items()})


def _mean(chances: Mapping[str, float]) -> float:
    return round(sum(chances.values()) / len(chances), DIGITS)
