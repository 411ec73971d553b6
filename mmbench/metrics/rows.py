"""Rows: the per-sample statistics of a run; merging is concatenation, a slice is a selection."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmbench.core import table as tables
from mmbench.core.errors import LoadError, UsageError
from mmbench.core.table import Ints, Numbers, Ragged, Table

_SAMPLES = "samples.npy"
# The first date that a zip archive can state: the bytes must not depend on the clock.
_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Statistics of n samples; ``values`` maps the name of a statistic to its table of n rows.

    ``ids`` are unique, ``groups`` the units of resampling, ``tags`` the slices of each sample. Raises ValueError when
    the parts do not fit together.
    """

    ids: tuple[str, ...]
    groups: tuple[str, ...]
    tags: tuple[Mapping[str, str], ...]
    values: Mapping[str, Table]

    def __post_init__(self) -> None:
        lengths = {len(self.ids), len(self.groups), len(self.tags), *(len(table) for table in self.values.values())}
        if len(lengths) != 1:
            raise ValueError(f"ids, groups, tags and statistics differ in length: {sorted(lengths)}")
        if len(set(self.ids)) != len(self.ids):
            raise ValueError("a sample id occurs twice")
        for name, table in self.values.items():
            tables.check(name, table)

    def __len__(self) -> int:
        return len(self.ids)

    @classmethod
    def concatenate(cls, parts: Sequence[Rows]) -> Rows:
        """The samples of all parts (at least one), in their order.

        Raises ValueError when the parts hold different statistics or share a sample.
        """
        if len({frozenset(part.values) for part in parts}) != 1:
            raise ValueError("the parts hold different statistics")
        return cls(
            tuple(i for part in parts for i in part.ids),
            tuple(g for part in parts for g in part.groups),
            tuple(t for part in parts for t in part.tags),
            {name: tables.concatenate([part.values[name] for part in parts]) for name in parts[0].values},
        )

    def select(self, indices: Sequence[int] | NDArray[np.integer]) -> Rows:
        """The samples at these indices, in this order."""
        index = np.asarray(indices, dtype=np.intp)
        return Rows(
            tuple(self.ids[i] for i in index),
            tuple(self.groups[i] for i in index),
            tuple(self.tags[i] for i in index),
            {name: tables.select(table, index) for name, table in self.values.items()},
        )

    def group_codes(self) -> Ints:
        """int64 [n]: the number of each sample's group, 0..G-1 in the sorted order of the names."""
        number = {name: code for code, name in enumerate(sorted(set(self.groups)))}
        return np.array([number[name] for name in self.groups], dtype=np.int64)

    def clustered(self, tag: str) -> Rows:
        """The same samples grouped by the value of a tag.

        Raises UsageError when a sample lacks the tag, or when a group would be divided: then the samples of a cluster
        would not be all that belong together.
        """
        lacking = [sample for sample, tags in zip(self.ids, self.tags, strict=True) if tag not in tags]
        if lacking:
            known = ", ".join(sorted({name for tags in self.tags for name in tags})) or "none"
            raise UsageError(f"cluster = {tag!r}: the sample {lacking[0]!r} has no such tag (known: {known}).")
        groups = tuple(tags[tag] for tags in self.tags)
        first: dict[str, str] = {}
        for group, cluster in zip(self.groups, groups, strict=True):
            if first.setdefault(group, cluster) != cluster:
                raise UsageError(f"cluster = {tag!r} divides the group {group!r} of the suite; name a coarser tag.")
        return replace(self, groups=groups)

    def slices(self) -> Iterator[tuple[str, str, Rows]]:
        """Each (tag, value) with its samples, in sorted order; a slice that holds every sample is left out."""
        members: dict[tuple[str, str], list[int]] = {}
        for index, tags in enumerate(self.tags):
            for pair in tags.items():
                members.setdefault(pair, []).append(index)
        for (tag, value), indices in sorted(members.items()):
            if len(indices) < len(self):
                yield tag, value, self.select(indices)

    def save(self, file: Path) -> None:
        """Writes an .npz: UTF-8 JSON of ids, groups, tags and statistics as bytes, and an array or two per statistic.

        The same rows give the same bytes (with the same zlib).
        """
        names = sorted(self.values)
        samples = {
            "ids": self.ids,
            "groups": self.groups,
            "tags": [dict(sorted(tags.items())) for tags in self.tags],
            "statistics": names,
            "ragged": [name for name in names if isinstance(self.values[name], Ragged)],
        }
        text = json.dumps(samples, separators=(",", ":"))
        with zipfile.ZipFile(file, "w") as archive:
            archive.writestr(_member(_SAMPLES), _packed(np.frombuffer(text.encode(), dtype=np.uint8)))
            for name, array in _arrays(self.values):
                archive.writestr(_member(name), _packed(array))

    @classmethod
    def load(cls, file: Path) -> Rows:
        """Reads what ``save`` wrote, never a pickle; raises LoadError with the file's name when it is not that."""
        try:
            with zipfile.ZipFile(file) as archive:
                # What must be there is listed inside: a damaged directory of the archive may have lost a member.
                samples = json.loads(_unpacked(archive.read(_SAMPLES)).tobytes())
                ragged = _texts(samples["ragged"]) if "ragged" in samples else ()  # the first rows had none
                names = _texts(samples["statistics"])
                values = {name: _table(archive, name, name in ragged) for name in names}
            return cls(_texts(samples["ids"]), _texts(samples["groups"]), _tags(samples["tags"]), values)
        except OSError as error:
            raise LoadError(f"The rows {file} cannot be read ({error.strerror}); copy the whole run.") from error
        except KeyError as error:
            raise LoadError(f"The rows {file} are damaged (missing: {error.args[0]}); measure again.") from error
        except (ValueError, TypeError, EOFError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
            raise LoadError(f"The rows {file} are damaged ({error}); measure again.") from error


def _file_of(statistic: str) -> str:
    return f"statistic/{statistic}.npy"


def _starts_of(name: str) -> str:
    return f"statistic/{name}.starts.npy"


def _arrays(values: Mapping[str, Table]) -> Iterator[tuple[str, Numbers]]:
    for name, table in sorted(values.items()):
        if isinstance(table, Ragged):
            yield _file_of(name), table.values
            yield _starts_of(name), table.starts
        else:
            yield _file_of(name), table


def _table(archive: zipfile.ZipFile, name: str, ragged: bool) -> Table:
    array = _unpacked(archive.read(_file_of(name)))
    values = _whole_numbers(array) if array.dtype.kind == "i" else array.astype(np.float64, casting="equiv", copy=False)
    return Ragged(values, _whole_numbers(_unpacked(archive.read(_starts_of(name))))) if ragged else values


def _whole_numbers(array: NDArray[Any]) -> Ints:
    return array.astype(np.int64, casting="equiv", copy=False)


def _member(name: str) -> zipfile.ZipInfo:
    member = zipfile.ZipInfo(name, _DATE)
    member.compress_type = zipfile.ZIP_DEFLATED
    member.create_system = 3
    member.external_attr = 0o600 << 16
    return member


def _packed(array: NDArray[Any]) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
    return stream.getvalue()


def _unpacked(content: bytes) -> NDArray[Any]:
    array: NDArray[Any] = np.lib.format.read_array(io.BytesIO(content), allow_pickle=False)
    return array


def _texts(found: Any) -> tuple[str, ...]:
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise TypeError("expected a list of texts")
    return tuple(found)


def _tags(found: Any) -> tuple[Mapping[str, str], ...]:
    if not isinstance(found, list) or not all(isinstance(tags, dict) for tags in found):
        raise TypeError("expected a list of tags")
    for tags in found:
        _texts(list(tags.values()))
    return tuple(found)
