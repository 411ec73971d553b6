"""Samples whose targets stand in one annotation file: captions, questions, boxes. Pictures are read only when asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mmbench.core.errors import SampleError
from mmbench.core.sample import Sample
from mmbench.core.source import Modality
from mmbench.sources.paths import confine
from mmbench.sources.raster import read_raster

IMAGE, TEXT = "image", "text"


@dataclass(frozen=True, slots=True)
class AnnotatedItem:
    """One sample: its target, the picture's path under the root ("" where it is not known), the text that goes in."""

    id: str
    target: Any
    image: str = ""
    text: str | None = None
    group: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class AnnotatedSource:
    """A ``core.source.Source`` over annotated items; ``pictures`` is the folder of the pictures under ``root``."""

    root: Path
    items: tuple[AnnotatedItem, ...]
    stamped: str
    pictures: str = ""
    classes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def modalities(self) -> Mapping[str, Modality]:
        """The picture, and the question where there is one."""
        texts = {TEXT: Modality(TEXT, "text", 1)} if self.items and self.items[0].text is not None else {}
        return {IMAGE: Modality(IMAGE, "image", 3), **texts}

    @property
    def ignore(self) -> None:
        """Every sample is scored whole."""
        return

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """In the order of the annotations."""
        return tuple(item.id for item in self.items)

    @cached_property
    def _by_id(self) -> dict[str, AnnotatedItem]:
        return {item.id: item for item in self.items}

    def load(self, sample_id: str) -> Sample:
        """The sample with its picture; raises SampleError when the picture is missing or broken."""
        item = self._item(sample_id)
        shown = f"{self.pictures}/{item.image}" if self.pictures else item.image
        if not item.image:
            raise SampleError(f"The annotations do not say which picture sample {sample_id!r} has.")
        image = read_raster(confine(self.root.resolve(), shown, SampleError), shown, as_rgb=True)
        texts = {} if item.text is None else {TEXT: item.text}
        return Sample(item.id, {IMAGE: image, **texts}, item.target, item.group, dict(item.tags))

    def without_inputs(self, sample_id: str) -> Sample:
        """What predictions are scored against; no picture is opened."""
        item = self._item(sample_id)
        return Sample(item.id, {}, item.target, item.group, dict(item.tags))

    def stamp(self, sample_id: str) -> str:
        """Size and time of the annotation file, and of the picture."""
        picture = self.root / self.pictures / self._item(sample_id).image
        try:
            found = picture.stat()
        except (OSError, ValueError):
            return f"{self.stamped};missing"
        return f"{self.stamped};{found.st_size}:{found.st_mtime_ns}"

    def stratum(self, sample_id: str) -> str:
        """The tags of the sample."""
        return ",".join(f"{k}={v}" for k, v in sorted(self._item(sample_id).tags.items()))

    def _item(self, sample_id: str) -> AnnotatedItem:
        try:
            return self._by_id[sample_id]
        except KeyError:
            raise SampleError(f"There is no sample {sample_id!r} in this split.") from None
