"""The zip that ``torch.save`` writes since torch 1.6: ``NAME/data.pkl`` and one stored entry per storage."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import numpy as np
import torch

from mmbench.adapters.weights.machine import Malformed, run
from mmbench.adapters.weights.rebuild import Outline, Rebuilder, Storages, text, whole

MAX_ENTRIES = 1_000_000


class Archive:
    """A zip whose sizes were checked: what can be read of it is never more than the file holds."""

    def __init__(self, archive: zipfile.ZipFile, size: int) -> None:
        """Raises Malformed for compressed entries (torch writes none: a bomb), links and entries that overlap."""
        entries = archive.infolist()
        self._archive = archive
        if len(entries) > MAX_ENTRIES or sum(entry.file_size for entry in entries) > size:
            raise Malformed("entries that claim more than the file holds, as in a zip bomb")
        for entry in entries:
            if entry.compress_type != zipfile.ZIP_STORED:
                raise Malformed(f"the compressed entry {entry.filename[:80]!r}; torch.save writes none")
            if entry.external_attr >> 28 == 0o12:
                raise Malformed(f"the entry {entry.filename[:80]!r} is a link")
        pickles = [entry.filename for entry in entries if entry.filename.rpartition("/")[2] == "data.pkl"]
        if len(pickles) != 1:
            raise Malformed(f"{len(pickles)} entries named data.pkl; expected one")
        self.names = frozenset(entry.filename for entry in entries)
        if len(self.names) < len(entries):
            raise Malformed("two entries of one name")
        self._prefix = pickles[0].removesuffix("data.pkl")

    def read(self, name: str) -> bytes:
        """The entry beside ``data.pkl``; raises Malformed when there is none."""
        if self._prefix + name not in self.names:
            raise Malformed(f"no entry {name[:80]!r}")
        return self._archive.read(self._prefix + name)

    @property
    def swapped(self) -> bool:
        """Whether numbers are written in the other byte order than this machine's (little-endian)."""
        return self._prefix + "byteorder" in self.names and self.read("byteorder") == b"big"


class _Entries:
    """The storages of an archive, each read once however often it is used."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._read: dict[str, torch.Tensor] = {}

    def storage(self, dtype: torch.dtype, saved: tuple[Any, ...]) -> torch.Tensor:
        """See ``rebuild.Storages``."""
        key = text(saved[2])
        if key not in self._read:
            self._read[key] = flat(self._archive.read(f"data/{key}"), dtype, self._archive.swapped)
        found = self._read[key].view(dtype)
        if found.numel() != whole(saved[4]):
            raise Malformed(f"a storage of {found.numel()} numbers that should have {saved[4]}")
        return found


def flat(data: bytes, dtype: torch.dtype, swapped: bool = False) -> torch.Tensor:
    """Bytes as a flat tensor that may be written to; ``swapped`` bytes are of the other order."""
    if len(data) % dtype.itemsize:
        raise Malformed(f"{len(data)} bytes that are no {dtype}")
    unit = dtype.itemsize // (2 if dtype.is_complex else 1)
    if swapped and unit > 1:
        data = np.frombuffer(data, dtype=f"u{unit}").byteswap().tobytes()
    return torch.frombuffer(bytearray(data), dtype=dtype) if data else torch.empty(0, dtype=dtype)


@contextmanager
def opened(stream: IO[bytes]) -> Iterator[Archive]:
    """The archive in a file; raises Malformed and BadZipFile."""
    size = stream.seek(0, io.SEEK_END)
    with zipfile.ZipFile(stream) as archive:
        yield Archive(archive, size)


def read_zip(stream: IO[bytes]) -> Any:
    """The content with tensors on the CPU."""
    with opened(stream) as archive:
        return _run(archive, _Entries(archive))[0]


def outline_zip(stream: IO[bytes]) -> tuple[Any, set[str]]:
    """The content with tensors without data, and the names of the objects that are no tensors or plain containers."""
    with opened(stream) as archive:
        return _run(archive, Outline())


def _run(archive: Archive, storages: Storages) -> tuple[Any, set[str]]:
    builder = Rebuilder(storages)
    return run(io.BytesIO(archive.read("data.pkl")), builder), builder.unknown
