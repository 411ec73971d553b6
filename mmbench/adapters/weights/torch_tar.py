"""The tar that ``torch.save`` wrote in its first months: members storages, tensors and pickle; nothing is unpacked."""

from __future__ import annotations

import struct
import tarfile
from typing import IO, Any

import torch

from mmbench.adapters.weights.machine import Builder, Malformed, key_of, run
from mmbench.adapters.weights.placeholder import Inert, Reference
from mmbench.adapters.weights.rebuild import Outline, Rebuilder, storage_dtype, tensor_of, whole
from mmbench.adapters.weights.torch_legacy import Bounded
from mmbench.adapters.weights.torch_zip import flat


class _Objects:
    """Persistent ids are keys of tensors and storages that were read before."""

    def __init__(self, objects: dict[Any, torch.Tensor]) -> None:
        self._objects = objects
        self._plain = Rebuilder(Outline())

    def call(self, origin: str, args: tuple[Any, ...]) -> Any:
        """See ``machine.Builder``."""
        return self._plain.call(origin, args)

    def persistent(self, saved: Any) -> Any:
        """A tensor, or a class whose source was kept beside its name."""
        if isinstance(saved, tuple):
            return saved[0] if saved else Inert("a class")
        key = int(saved) if isinstance(saved, str) and saved.isdecimal() else key_of(saved)
        if key not in self._objects:
            raise Malformed("a tensor that the file does not have")
        return self._objects[key]


def read_tar(stream: IO[bytes]) -> Any:
    """The content with tensors on the CPU; raises Malformed and TarError."""
    with tarfile.open(fileobj=stream, mode="r:") as tar:
        objects = _storages(_member(tar, "storages"))
        _tensors(_member(tar, "tensors"), objects)
        return run(_member(tar, "pickle"), _Objects(objects))


def _member(tar: tarfile.TarFile, name: str) -> Bounded:
    try:
        info = tar.getmember(name)
    except KeyError as error:
        raise Malformed(f"a tar without {name}") from error
    file = tar.extractfile(info) if info.isreg() and not info.issparse() else None
    if file is None:
        raise Malformed(f"{name} is not a plain file in its tar")
    return Bounded(file)


def _storages(file: Bounded) -> dict[Any, torch.Tensor]:
    plain: Builder = Rebuilder(Outline())
    found: dict[Any, torch.Tensor] = {}
    for _ in range(whole(run(file, plain))):
        key, _location, kind = run(file, plain)
        dtype = storage_dtype(kind if isinstance(kind, Reference) else None)
        size = whole(int.from_bytes(file.exactly(8), "little", signed=True)) * dtype.itemsize
        found[key_of(key)] = flat(file.exactly(size), dtype)
    for target, root, offset, count in run(file, plain):
        whole_storage = found[key_of(root)]
        if whole(offset) + whole(count) > whole_storage.numel():
            raise Malformed("a part that leaves its storage")
        found[key_of(target)] = whole_storage[offset : offset + count]
    return found


def _tensors(file: Bounded, objects: dict[Any, torch.Tensor]) -> None:
    plain: Builder = Rebuilder(Outline())
    for _ in range(whole(run(file, plain))):
        key, storage, _kind = run(file, plain)
        (dims,) = struct.unpack("<i", file.exactly(4))
        file.exactly(4)
        size = struct.unpack(f"<{whole(dims)}q", file.exactly(8 * dims))
        stride = struct.unpack(f"<{dims}q", file.exactly(8 * dims))
        (offset,) = struct.unpack("<q", file.exactly(8))
        objects[key_of(key)] = tensor_of(objects[key_of(storage)], offset, size, stride)
