"""Folders of ``torch.distributed.checkpoint``: ``.metadata`` (a pickle) says where each piece of a tensor is."""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from mmbench.adapters.weights.inside import inside
from mmbench.adapters.weights.machine import Malformed
from mmbench.adapters.weights.placeholder import Inert, Nested, Reference
from mmbench.adapters.weights.rebuild import DTYPES, whole
from mmbench.adapters.weights.torch_legacy import read_legacy
from mmbench.adapters.weights.torch_zip import read_zip

METADATA = ".metadata"
_MAX_DEPTH = 16


def is_distributed(folder: Path) -> bool:
    """Whether the folder is such a checkpoint."""
    return (folder / METADATA).is_file()


def read_distributed(folder: Path) -> dict[str, Any]:
    """The tensors of the folder in the nesting in which they were saved; what is not a tensor is left out.

    Raises Malformed and what a damaged file makes the readers raise.
    """
    with inside(folder, METADATA).open("rb") as stream:
        metadata = _fields(read_legacy(stream))
    tensors, places = metadata.get("state_dict_metadata"), metadata.get("storage_data")
    if not isinstance(tensors, dict) or not isinstance(places, dict):
        raise Malformed("a .metadata that does not say where tensors are")
    pieces = _pieces(places)
    paths = metadata.get("planner_data")
    content: dict[str, Any] = {}
    for name, entry in tensors.items():
        table = _fields(entry)
        if "chunks" in table:
            path = paths.get(name) if isinstance(paths, dict) else None
            _put(content, _path(name, path), _tensor(folder, name, table, pieces))
    return content


def _fields(value: Any) -> Mapping[str, Any]:
    return value.state if isinstance(value, Inert) and isinstance(value.state, dict) else {}


def _pieces(places: dict[Any, Any]) -> dict[tuple[str, tuple[int, ...]], Mapping[str, Any]]:
    """Name and offsets of each piece -> where it is."""
    found = {}
    for index, place in places.items():
        key = _fields(index)
        offset = key.get("offset")
        if offset is not None:
            found[str(key.get("fqn")), tuple(whole(n) for n in offset)] = _fields(place)
    return found


def _tensor(folder: Path, name: str, table: Mapping[str, Any], pieces: Mapping[Any, Any]) -> torch.Tensor:
    size = tuple(whole(n) for n in table["size"])
    chunks = [_fields(chunk) for chunk in table["chunks"]]
    covered = sum(math.prod(whole(n) for n in chunk["sizes"]) for chunk in chunks)
    if covered != math.prod(size):
        raise Malformed(f"the pieces of {name[:80]!r} do not make up its size {list(size)}")
    parts = list(_parts(folder, name, chunks, pieces))  # read before anything of their size is made
    filled = torch.empty(size, dtype=_dtype(table["properties"]))
    for where, part in parts:
        filled[where] = part
    return filled


def _parts(folder: Path, name: str, chunks: Any, pieces: Mapping[Any, Any]) -> Iterator[tuple[Any, torch.Tensor]]:
    for chunk in chunks:
        offsets, sizes = tuple(chunk["offsets"]), tuple(chunk["sizes"])
        place = pieces[str(name), offsets]
        part = _blob(inside(folder, str(place["relative_path"])), whole(place["offset"]), whole(place["length"]))
        if not isinstance(part, torch.Tensor) or tuple(part.shape) != sizes:
            raise Malformed(f"a piece of {name[:80]!r} is not a tensor {list(sizes)}")
        yield tuple(slice(start, start + length) for start, length in zip(offsets, sizes, strict=True)), part


def _blob(file: Path, offset: int, length: int) -> Any:
    with file.open("rb") as stream:
        stream.seek(offset)
        if offset + length > file.stat().st_size:
            raise Malformed(f"{file.name} ends before a piece that it should hold")
        return read_zip(io.BytesIO(stream.read(length)))


def _dtype(properties: Any) -> torch.dtype:
    state = properties.state if isinstance(properties, Inert) else None
    found = state[0] if isinstance(state, tuple) and state else _fields(properties).get("dtype")
    if not isinstance(found, Reference) or found.origin not in DTYPES:
        raise Malformed("a tensor without a dtype")
    return DTYPES[found.origin]


def _path(name: Any, path: Any) -> tuple[str, ...]:
    parts = tuple(path) if isinstance(path, Nested) else (name,)
    if not 0 < len(parts) <= _MAX_DEPTH:
        raise Malformed("a name that is nested too deeply")
    return tuple(str(part) for part in parts)


def _put(content: dict[str, Any], path: tuple[str, ...], tensor: torch.Tensor) -> None:
    for part in path[:-1]:
        content = content.setdefault(part, {})
        if not isinstance(content, dict):
            raise Malformed(f"{part[:80]!r} is a tensor and a group of tensors")
    content[path[-1]] = tensor
