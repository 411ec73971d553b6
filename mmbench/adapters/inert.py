"""Reads a torch zip that ``weights_only`` refuses, and runs nothing of it.

Research checkpoints often keep an argparse Namespace or a numpy number beside the weights. This unpickler builds
tensors and plain containers; every other name becomes an inert placeholder: nothing is imported, nothing is called.
"""

from __future__ import annotations

import collections
import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch

_STORAGES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


class Inert:
    """Stands for an object that was not built; takes part in unpickling and does nothing."""

    origin = "an object"

    def __new__(cls, *_args: Any, **_kwargs: Any) -> Inert:
        """Whatever the pickle would have built it from is dropped."""
        return object.__new__(cls)

    def __init__(self, *_args: Any, **_kwargs: Any) -> None:
        pass

    def __setstate__(self, _state: Any) -> None:
        pass

    def __setitem__(self, _key: Any, _value: Any) -> None:
        pass

    def append(self, _value: Any) -> None:
        """Swallows a list item."""

    def extend(self, _values: Any) -> None:
        """Swallows list items."""

    def add(self, _value: Any) -> None:
        """Swallows a set item."""


def read_inert(path: Path) -> Any:
    """The pickled content with tensors on the CPU; what is not a tensor or plain container is an ``Inert``.

    Raises whatever a damaged archive makes the reader raise; the caller turns it into a sentence.
    """
    with zipfile.ZipFile(path) as archive:
        pickled = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
        with archive.open(pickled) as stream:
            return _InertUnpickler(stream, archive, pickled.removesuffix("data.pkl")).load()


class _InertUnpickler(pickle.Unpickler):
    """``find_class`` is the only way from a pickle to a Python object, and it hands out nothing that acts."""

    def __init__(self, stream: Any, archive: zipfile.ZipFile, prefix: str) -> None:
        super().__init__(stream)
        self._archive = archive
        self._prefix = prefix
        self._storages: dict[str, torch.Tensor] = {}
        self._known = {
            ("collections", "OrderedDict"): collections.OrderedDict,
            ("torch", "Size"): tuple,
            ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
            ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
        }

    def find_class(self, module: str, name: str) -> Any:
        """A plain container, a function of ours, or a fresh placeholder class."""
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        return self._known.get((module, name)) or type("Placeholder", (Inert,), {"origin": f"{module}.{name}"})

    def persistent_load(self, saved: Any) -> torch.Tensor:
        """The storage as a flat tensor: ('storage', dtype, key, location, count)."""
        _, dtype, key, _, _ = saved
        if key not in self._storages:
            data = bytearray(self._archive.read(f"{self._prefix}data/{key}"))
            self._storages[key] = torch.frombuffer(data, dtype=dtype) if data else torch.empty(0, dtype=dtype)
        return self._storages[key]


def _rebuild_tensor(storage: torch.Tensor, offset: int, size: Any, stride: Any, *_rest: Any) -> torch.Tensor:
    return storage.as_strided(tuple(size), tuple(stride), offset)  # torch checks that it stays inside the storage


def _rebuild_parameter(data: torch.Tensor, *_rest: Any) -> torch.Tensor:
    return data
