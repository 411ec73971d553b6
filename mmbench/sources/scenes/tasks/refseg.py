"""Referring segmentation: an expression names one of four objects by its colour and its shape, both of them needed.

The four objects are two colours by two shapes; each is asked for once, so that a picture alone leaves all four equally
likely, and an expression alone leaves all places equally likely.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mmbench.core.bounds import Bounds
from mmbench.core.sample import Array
from mmbench.core.source import Modality
from mmbench.sources.scenes import SPEC_VERSION, rgb, words
from mmbench.sources.scenes.blind_masks import blind_scores
from mmbench.sources.scenes.geometry import area
from mmbench.sources.scenes.layout import Look, arranged, natural, words_for
from mmbench.sources.scenes.looks import look_labels, look_map
from mmbench.sources.scenes.scene import PRIMARY, Scene, Thing, paint
from mmbench.sources.scenes.stream import Draws, permutation
from mmbench.sources.scenes.tasks.accuracy import DIGITS
from mmbench.sources.scenes.tasks.task import IMAGE, TEXT, Item

LAW = natural("S")
OBJECTS = 4
# Mean IoU over expressions, IoU of all expressions' pixels together, share with an IoU of at least one half.
METRICS = ("mean_iou", "oiou", "p50")
TEMPLATES = (
    "the {colour} {shape}",
    "find the {colour} {shape}",
    "select the {shape} that is {colour}",
    "the thing that is a {colour} {shape}",
    "a {shape} of {colour} colour",
    "where is the {colour} {shape}",
)


@dataclass(frozen=True, slots=True)
class ReferringSegmentation:
    """Referring segmentation; a sample's target is a mask uint8 [H, W], 1 on the object that is meant."""

    name: str = "refseg"
    modalities: tuple[Modality, ...] = (IMAGE, TEXT)
    regimes: tuple[str, ...] = (LAW.name,)
    parts: int = OBJECTS

    def classes(self, regime: str) -> tuple[str, ...]:  # noqa: ARG002
        """What is not meant and what is."""
        return ("other", "referred")

    def inputs(self, item: Item) -> dict[str, Any]:
        """``image`` and the expression as ``text``."""
        return {"image": rgb.render(self.scene(item)), "text": self.expression(item)}

    def target(self, item: Item) -> Any:
        """uint8 [H, W]."""
        mask = np.zeros((item.canvas, item.canvas), dtype=np.uint8)
        paint(mask, self._meant(item), 1)
        return mask

    def tags(self, item: Item) -> dict[str, str]:  # noqa: ARG002
        """None."""
        return {}

    def stratum(self, item: Item) -> str:  # noqa: ARG002
        """All samples are of one kind."""
        return ""

    def signature(self, item: Item, modality: str) -> Array:
        """Of the picture a map of looks (``scenes.looks``), of the text colour x 6 + shape, int64 []."""
        if modality == "image":
            return look_map(self.scene(item))
        meant = self._meant(item)
        return np.array(meant.colour * len(words.SHAPES) + meant.shape, dtype=np.int64)

    def signature_classes(self, regime: str, modality: str) -> int:  # noqa: ARG002
        """Number of labels ``signature`` may hold."""
        return look_labels() if modality == "image" else len(words.COLOURS) * len(words.SHAPES)

    def bounds(self, regime: str, items: Sequence[Item]) -> tuple[Bounds, ...]:  # noqa: ARG002
        """Bounds of ``mean_iou``, ``oiou`` and ``p50``.

        Of a picture alone 1/4 in the first two: over the four expressions the IoU of any union of k objects sums to 1,
        and the shared pixels of all four are a quarter of the united ones. Of ``p50`` see ``_half_right``.
        """
        if not items:
            return ()
        shapes = [self._meant(item).shape for item in items]
        text, chance = (
            blind_scores(shapes, items[0].canvas, told=True),
            blind_scores(shapes, items[0].canvas, told=False),
        )
        image = {"mean_iou": 0.25, "oiou": 0.25, "p50": sum(map(self._half_right, items)) / len(items)}
        return tuple(
            Bounds(
                metric=metric,
                chance=round(chance[metric], DIGITS),
                unimodal={"image": round(image[metric], DIGITS), "text": round(text[metric], DIGITS)},
                fused=1.0,
                spec_version=SPEC_VERSION,
            )
            for metric in METRICS
        )

    def policies(self, items: Sequence[Item], observed: Sequence[str]) -> Mapping[str, list[Any]]:  # noqa: ARG002
        """None: the bounds are complete."""
        return {}

    def traits(self, item: Item) -> Mapping[str, frozenset[str]]:
        """Pairs of shape and colour in the picture, wording of the expression."""
        return {
            "pairs": frozenset(f"{thing.shape} {thing.colour}" for thing in self.scene(item).things),
            "templates": frozenset([str(self._template(item))]),
        }

    def scene(self, item: Item) -> Scene:
        """The latents of the picture: object i is the one that part i asks for."""
        stream = (self.name, item.split)
        colours = permutation(len(words.COLOURS), *stream, "colours", item.scene)[:2].tolist()
        shapes = permutation(len(words.SHAPES), *stream, "shapes", item.scene)[:2].tolist()
        draws = Draws(OBJECTS + words_for(OBJECTS), *stream, "image", item.scene)
        looks = [Look(shape, colour, draws.below(PRIMARY)) for colour in colours for shape in shapes]
        return arranged(draws, LAW, item.canvas, looks)

    def expression(self, item: Item) -> str:
        """The words for the object that is meant."""
        meant = self._meant(item)
        return TEMPLATES[self._template(item)].format(
            colour=words.COLOURS[meant.colour], shape=words.SHAPES[meant.shape]
        )

    def _half_right(self, item: Item) -> float:
        """The best chance that one mask has an IoU of at least one half with the object that is meant: 1/4, or 2/4.

        With x_i pixels shared, 3 x_i >= s + a_i for a mask of s pixels. For two objects these add up to
        s >= a_1 + a_2: the mask is their union, and then both hold only for equal areas. For three never.
        """
        areas = [area(thing.shape, thing.size) for thing in self.scene(item).things]
        return 0.5 if len(set(areas)) < OBJECTS else 0.25

    def _meant(self, item: Item) -> Thing:
        return self.scene(item).things[item.part]

    def _template(self, item: Item) -> int:
        return Draws(1, self.name, item.split, "text", item.scene, item.part).below(len(TEMPLATES))
