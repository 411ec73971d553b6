"""Samples of files on disk: what ``folders`` and ``manifest`` both become once their splits are resolved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmbench.core.errors import LoadError, SampleError
from mmbench.core.sample import Sample
from mmbench.core.source import Modality
from mmbench.sources.decoding import InputParams, decode_input, fit
from mmbench.sources.labels import LabelDecoder
from mmbench.sources.paths import confine, exists
from mmbench.sources.raster import read_raster

LABEL = "label"  # beside the modalities, where files are named by what they are


@dataclass(frozen=True, slots=True)
class Item:
    """Where one sample is: per modality a path under the root, or a number that fills a plane.

    A modality that is in neither ``files`` nor ``values`` is absent. What no file was found for is in
    ``unknown``: modality or ``label`` -> the pattern.
    """

    id: str
    files: Mapping[str, str]
    label: str
    values: Mapping[str, float] = field(default_factory=dict)
    unknown: Mapping[str, str] = field(default_factory=dict)
    group: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    def paths(self) -> tuple[str, ...]:
        """The files of the sample, the label's last."""
        return (*self.files.values(), self.label)


@dataclass(frozen=True)
class ItemSource:
    """A ``core.source.Source`` over items. Planes are float32, images uint8, labels uint8 or int16."""

    root: Path
    items: tuple[Item, ...]
    inputs: Mapping[str, InputParams]
    label: LabelDecoder
    classes: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def modalities(self) -> Mapping[str, Modality]:
        """As the suite file declares them."""
        return {name: params.modality(name) for name, params in self.inputs.items()}

    @property
    def ignore(self) -> int | None:
        """The label that is not scored."""
        return self.label.ignore

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """In the order of the list, or of the paths."""
        return tuple(item.id for item in self.items)

    @cached_property
    def _by_id(self) -> dict[str, Item]:
        return {item.id: item for item in self.items}

    def load(self, sample_id: str) -> Sample:
        """Reads the files of a sample; raises SampleError with the name of the file that is wrong."""
        item = self._item(sample_id)
        if item.unknown:
            what, pattern = next(iter(item.unknown.items()))
            raise SampleError(f"Sample {sample_id!r} has no {what}: no file, or more than one, fits {pattern!r}.")
        reader = _Reader(self.root)
        target = self.label.decode(reader.read(item.label, self.label.as_rgb), item.label)
        size = (int(target.shape[0]), int(target.shape[1]))
        inputs = {name: self._input(name, item, size, reader) for name in self.inputs if _is_present(name, item)}
        return Sample(item.id, inputs, target, item.group, dict(item.tags))

    def stamp(self, sample_id: str) -> str:
        """Size and modification time of the sample's files."""
        item = self._item(sample_id)
        values = [f"{name}={value!r}" for name, value in item.values.items()]
        return ";".join([*(f"{path}:{_stat(self.root / path)}" for path in dict.fromkeys(item.paths())), *values])

    def stratum(self, sample_id: str) -> str:
        """The sample's tags, its group when it has none."""
        item = self._item(sample_id)
        return ",".join(f"{k}={v}" for k, v in sorted(item.tags.items())) or item.group or ""

    def _input(self, name: str, item: Item, size: tuple[int, int], reader: _Reader) -> NDArray[Any]:
        params = self.inputs[name]
        if name in item.values:
            return np.full(size, item.values[name] * params.scale + params.offset, np.float32)
        path = item.files[name]
        return fit(decode_input(reader.read(path, params.as_rgb), params, path), size, params, path)

    def _item(self, sample_id: str) -> Item:
        try:
            return self._by_id[sample_id]
        except KeyError:
            raise SampleError(f"There is no sample {sample_id!r} in this split.") from None


class _Reader:
    """Reads each file of a sample once: two modalities may be channels of the same picture."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._read: dict[tuple[str, bool], NDArray[Any]] = {}

    def read(self, path: str, as_rgb: bool) -> NDArray[Any]:
        if (path, as_rgb) not in self._read:
            self._read[path, as_rgb] = read_raster(confine(self._root, path, SampleError), path, as_rgb)
        return self._read[path, as_rgb]


def present_only(items: Sequence[Item], root: Path, split: str) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    """The items whose files are all there, and a note of how many were left out; LoadError when none is there."""
    found = tuple(i for i in items if not i.unknown and all(exists(root, path) for path in i.paths()))
    if not found:
        raise LoadError(f"None of the {len(items)} samples of the split {split!r} is there under {root}.")
    if len(found) == len(items):
        return found, ()
    note = f"{len(found)} of the {len(items)} samples of the split {split!r} are there; the others were left out."
    return found, (note,)


def _is_present(name: str, item: Item) -> bool:
    return name in item.files or name in item.values


def _stat(path: Path) -> str:
    try:
        found = path.stat()
    except (OSError, ValueError):
        return "missing"
    return f"{found.st_size}:{found.st_mtime_ns}"
