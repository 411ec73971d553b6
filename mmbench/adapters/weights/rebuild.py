"""What the calls of a checkpoint's pickle come to: tensors on the CPU and plain containers, everything else inert."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Protocol

import numpy as np
import torch

from mmbench.adapters.weights.machine import Malformed, key_of
from mmbench.adapters.weights.placeholder import Inert, Nested, Reference

DTYPES = {f"torch.{name}": value for name, value in vars(torch).items() if isinstance(value, torch.dtype)}
_STORAGES = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "ComplexDoubleStorage": torch.complex128,
    "ComplexFloatStorage": torch.complex64,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
    "UntypedStorage": torch.uint8,
}
# A tensor may repeat its storage (stride 0), but not to a size that its file does not have.
_REPEATED = 1 << 20
_MAX_DIMS = 64
# What calls may copy in all, counted as bytes: a call that is repeated must not fill the memory.
_MAX_COPIED = 1 << 30
_ENTRY = 100


class Storages(Protocol):
    """Gives the storages that a pickle asks for."""

    def storage(self, dtype: torch.dtype, saved: tuple[Any, ...]) -> torch.Tensor:
        """The flat tensor of a persistent id ('storage', type, key, location, count, ...)."""


class Rebuilder:
    """Follows ``torch._utils``; what it does not know becomes an ``Inert``.

    ``unknown`` collects the names of what was called and is not a tensor or plain container.
    """

    def __init__(self, storages: Storages, nested: Callable[[bytes], Any] | None = None) -> None:
        self._storages = storages
        self._nested = nested
        self.unknown: set[str] = set()
        self._copied = 0

    def call(self, origin: str, args: tuple[Any, ...]) -> Any:
        """See ``machine.Builder``."""
        if origin == "torch.storage._load_from_bytes" and self._nested and args and isinstance(args[0], bytes):
            return self._nested(args[0])
        known = _KNOWN.get(origin)
        if known is None:
            self.unknown.add(origin)
            return Inert(origin, args)
        self._copied += sum(_cost(value) for value in args)
        if self._copied > _MAX_COPIED:
            raise Malformed("calls that copy more than a file can hold")
        try:
            return known(*args)
        except (TypeError, ValueError, RuntimeError, IndexError, KeyError) as error:
            raise Malformed(f"{origin} with arguments that do not fit: {error}") from error

    def persistent(self, saved: Any) -> Any:
        """See ``machine.Builder``."""
        if not isinstance(saved, tuple) or len(saved) < 5 or text(saved[0]) != "storage":
            if isinstance(saved, tuple) and len(saved) > 1 and text(saved[0]) == "module":
                return saved[1]  # old files keep the source of a class beside its name
            raise Malformed("a persistent id that is not of a storage")
        return self._storages.storage(storage_dtype(saved[1]), saved)


class Outline:
    """Storages without content: for looking at a pickle before anything is read, and at a file that is too large."""

    def __init__(self) -> None:
        self.counts: dict[Any, tuple[torch.dtype, int]] = {}

    def storage(self, dtype: torch.dtype, saved: tuple[Any, ...]) -> torch.Tensor:
        """A tensor of the device ``meta``."""
        count = whole(saved[4])
        self.counts[key_of(saved[2])] = (dtype, count)
        view = saved[5] if len(saved) > 5 else None
        if view is not None:
            count = whole(view[2])
        return torch.empty(count, dtype=dtype, device="meta")


def storage_dtype(kind: Any) -> torch.dtype:
    """The dtype of a storage class named in a pickle."""
    origin = kind.origin if isinstance(kind, Reference) else ""
    module, _, name = origin.rpartition(".")
    if module not in ("torch", "torch.cuda", "torch.storage") or name not in _STORAGES:
        raise Malformed(f"a storage of type {origin[:80] or type(kind).__name__}")
    return _STORAGES[name]


def whole(value: Any) -> int:
    """A count: an int of at least 0 that a file can have."""
    if type(value) is not int or not 0 <= value < 1 << 48:
        raise Malformed("a count that is not a whole number")
    return value


def text(value: Any) -> str:
    """Text, also where Python 2 wrote bytes."""
    return value.decode("latin-1") if isinstance(value, bytes) else str(value) if isinstance(value, str) else ""


def tensor_of(storage: Any, offset: Any, size: Any, stride: Any) -> torch.Tensor:
    """A view of a flat storage; raises Malformed when it would leave it."""
    if not isinstance(storage, torch.Tensor):
        raise Malformed("a tensor without a storage")
    shape, steps = [whole(n) for n in size], [whole(n) for n in stride]
    count = math.prod(shape)
    last = whole(offset) + sum((n - 1) * step for n, step in zip(shape, steps, strict=True))
    if len(shape) > _MAX_DIMS or (count and last >= storage.numel()) or count > max(storage.numel(), _REPEATED):
        raise Malformed("a tensor outside its storage")
    return storage.as_strided(shape, steps, whole(offset))


def _cost(value: Any) -> int:
    if isinstance(value, str | bytes | bytearray):
        return len(value)
    return _ENTRY * len(value) if isinstance(value, list | dict | tuple) else 0


def _tensor(storage: Any, offset: Any, size: Any, stride: Any, *_rest: Any) -> torch.Tensor:
    return tensor_of(storage, offset, size, stride)


def _tensor_with_dtype(storage: Any, offset: Any, size: Any, stride: Any, *rest: Any) -> torch.Tensor:
    dtype = DTYPES[rest[2].origin]
    return tensor_of(storage.view(torch.uint8).view(dtype), offset, size, stride)


def _parameter(data: Any, *_rest: Any) -> Any:
    return data


def _from_type(function: Any, _kind: Any, args: Any, *_rest: Any) -> Any:
    """A tensor of a subclass, or with attributes: the tensor alone."""
    known = _TENSORS.get(function.origin) if isinstance(function, Reference) else None
    return known(*args) if known else Inert(function.origin if isinstance(function, Reference) else "a tensor", args)


def _mapping(pairs: Any = ()) -> dict[Any, Any]:
    if isinstance(pairs, dict):
        return dict(pairs)
    return {key_of(key): value for key, value in pairs}


def _default_mapping(_factory: Any = None, *_rest: Any) -> dict[Any, Any]:
    return {}


def _encoded(value: Any, encoding: Any = "latin1") -> bytes:
    if not isinstance(value, str) or encoding not in ("latin1", "latin-1"):
        raise Malformed("bytes in an encoding that pickle does not use")
    return value.encode("latin-1")


def _size(values: Any = ()) -> Nested:
    return Nested(values)


def as_array(value: Any) -> np.ndarray[Any, Any] | None:
    """The numpy array that an ``Inert`` stands for, None when it stands for something else.

    Raises Malformed when its bytes do not fit its shape.
    """
    if not isinstance(value, Inert) or value.origin.rpartition(".")[2] != "_reconstruct":
        return None
    state = value.state
    if not isinstance(state, tuple) or len(state) != 5 or not isinstance(state[2], Inert):
        return None
    kind, data = state[2], state[4]
    order = kind.state[1] if isinstance(kind.state, tuple) and len(kind.state) > 1 else "="
    if isinstance(data, str):
        data = data.encode("latin-1")  # Python 2
    if not isinstance(data, bytes | bytearray) or not kind.args or text(kind.args[0])[:1] not in "fiubc":
        return None
    dtype = np.dtype(text(kind.args[0])).newbyteorder("<" if order in ("|", "=", "<") else ">")
    found = np.frombuffer(data, dtype=dtype)
    shape = tuple(whole(n) for n in state[1])
    if math.prod(shape) != found.size:
        raise Malformed("an array whose bytes do not fit its shape")
    return found.reshape(shape, order="F" if state[3] else "C")


_TENSORS: dict[str, Callable[..., Any]] = {
    "torch._utils._rebuild_tensor": _tensor,
    "torch._utils._rebuild_tensor_v2": _tensor,
    "torch._utils._rebuild_tensor_v3": _tensor_with_dtype,
    "torch._utils._rebuild_parameter": _parameter,
    "torch._utils._rebuild_parameter_with_state": _parameter,
}
_KNOWN: dict[str, Callable[..., Any]] = {
    **_TENSORS,
    "torch._tensor._rebuild_from_type_v2": _from_type,
    "torch.nn.parameter.Parameter": _parameter,
    "torch.Size": _size,
    "collections.OrderedDict": _mapping,
    "collections.Counter": _mapping,
    "collections.defaultdict": _default_mapping,
    "builtins.dict": _mapping,
    "_codecs.encode": _encoded,
}
