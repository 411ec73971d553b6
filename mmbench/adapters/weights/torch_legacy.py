"""Files of ``torch.save`` before torch 1.6: pickles one after the other, then storages; and plain pickles."""

from __future__ import annotations

import io
import sys
from typing import IO, Any

import torch

from mmbench.adapters.weights import torch_zip
from mmbench.adapters.weights.machine import Malformed, key_of, run
from mmbench.adapters.weights.rebuild import Outline, Rebuilder, whole

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001


class Bounded:
    """A file that is never asked for more bytes than it has: reading a huge length costs nothing."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._size = stream.seek(0, io.SEEK_END)
        stream.seek(0)

    @property
    def left(self) -> int:
        """Bytes behind the present place."""
        return self._size - self._stream.tell()

    def read(self, size: int, /) -> bytes:
        """At most ``size`` bytes."""
        return self._stream.read(min(size, self.left))

    def readline(self) -> bytes:
        """Up to a newline."""
        return self._stream.readline()

    def exactly(self, size: int) -> bytes:
        """``size`` bytes; raises Malformed when there are fewer."""
        if size > self.left:
            raise Malformed(f"{size} bytes are announced and {self.left} are left: the file is cut off or forged")
        return self._stream.read(size)

    def seek(self, place: int) -> None:
        """Goes to a place."""
        self._stream.seek(place)

    def tell(self) -> int:
        """The place."""
        return self._stream.tell()


class _Filled:
    """Storages whose bytes were read behind the pickles."""

    def __init__(self, storages: dict[Any, torch.Tensor]) -> None:
        self._storages = storages

    def storage(self, dtype: torch.dtype, saved: tuple[Any, ...]) -> torch.Tensor:
        """See ``rebuild.Storages``; ``saved`` ends with (key, offset, count) when it is a part of another storage."""
        found = self._storages[key_of(saved[2])].view(dtype)
        view = saved[5] if len(saved) > 5 else None
        if view is None:
            return found
        offset, count = whole(view[1]), whole(view[2])
        if offset + count > found.numel():
            raise Malformed("a part that leaves its storage")
        return found[offset : offset + count]


def read_legacy(stream: IO[bytes], nested: bool = False) -> Any:
    """The content with tensors on the CPU.

    ``nested``: these bytes stood in a plain pickle, and may not hold another one.
    """
    return _read(Bounded(stream), nested)[0]


def outline_legacy(stream: IO[bytes]) -> tuple[Any, set[str], bool]:
    """As ``torch_zip.outline_zip``; and whether the file is of torch (a plain pickle is not)."""
    return _outline(Bounded(stream))


def _outline(file: Bounded) -> tuple[Any, set[str], bool]:
    builder = Rebuilder(Outline(), _nested)
    first = run(file, builder)
    if first != _MAGIC:
        return first, builder.unknown, False
    _header(file)
    outline = Outline()
    builder = Rebuilder(outline)
    content = run(file, builder)
    keys = run(file, builder)
    for key in keys if isinstance(keys, list) else ():
        dtype, _ = outline.counts[key_of(key)]
        size = _announced(file, dtype)
        file.seek(file.tell() + size)
    return content, builder.unknown, True


def _read(file: Bounded, nested: bool) -> tuple[Any, set[str]]:
    start = Rebuilder(Outline(), None if nested else _nested)
    if run(file, start) != _MAGIC:
        file.seek(0)
        builder = Rebuilder(Outline(), None if nested else _nested)
        return run(file, builder), builder.unknown
    swapped = _header(file)
    place = file.tell()
    outline = Outline()
    run(file, Rebuilder(outline))
    storages = {}
    keys = run(file, Rebuilder(Outline()))
    for key in keys if isinstance(keys, list) else ():
        dtype, _ = outline.counts[key_of(key)]
        storages[key_of(key)] = torch_zip.flat(file.exactly(_announced(file, dtype)), dtype, swapped)
    file.seek(place)
    builder = Rebuilder(_Filled(storages))
    return run(file, builder), builder.unknown


def _header(file: Bounded) -> bool:
    """Reads protocol and system; whether the numbers are in the other byte order."""
    if run(file, Rebuilder(Outline())) != _PROTOCOL:
        raise Malformed("an unknown protocol of torch.save")
    system = run(file, Rebuilder(Outline()))
    little = bool(system.get("little_endian", True)) if isinstance(system, dict) else True
    return little != (sys.byteorder == "little")


def _announced(file: Bounded, dtype: torch.dtype) -> int:
    """The bytes of the next storage, which must be there."""
    size = whole(int.from_bytes(file.exactly(8), "little", signed=True)) * dtype.itemsize
    if size > file.left:
        raise Malformed(f"a storage of {size} bytes, and {file.left} are left: the file is cut off or forged")
    return size


def _nested(data: bytes) -> Any:
    """A storage inside a plain pickle: the bytes of a file of ``torch.save``."""
    stream = io.BytesIO(data)
    return torch_zip.read_zip(stream) if data.startswith(b"PK") else read_legacy(stream, nested=True)
