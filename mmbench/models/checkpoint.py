"""Checkpoints: weights and metadata in one file, written atomically, read without running anything.

``.safetensors`` holds the metadata as JSON under the key ``mmbench``; any other suffix is a torch zip of
``{"state_dict": ..., "mmbench": metadata}``, which ``torch.load(weights_only=True)`` reads.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from mmbench.core.errors import LoadError, UsageError

KEY = "mmbench"
StateDict = dict[str, Tensor]
Metadata = dict[str, Any]

_ZIP = b"PK\x03\x04"


def save_checkpoint(path: Path, weights: nn.Module | Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
    """Writes weights and JSON-able metadata; the suffix chooses the format. The same content gives the same bytes.

    Raises UsageError when the file cannot be written; an older file then stays as it was.
    """
    state = weights.state_dict() if isinstance(weights, nn.Module) else weights
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    text = json.dumps(metadata, allow_nan=False)
    if path.suffix == ".safetensors":
        content = safetensors.torch.save({n: t.clone() for n, t in tensors.items()}, {KEY: text})
    else:
        # Parsed anew: pickle writes a string that is there twice in another way when it is one object.
        content = packed({"state_dict": tensors, KEY: json.loads(text)})
    write_atomic(path, content)


def read_checkpoint(path: Path) -> tuple[StateDict, Metadata]:
    """Weights (on the CPU) and metadata of a file that ``save_checkpoint`` wrote.

    Raises LoadError when the file cannot be read, is empty, broken or no checkpoint, when it would have to run code, or
    when it has no metadata of mmbench.
    """
    head = _head(path)
    if path.suffix == ".safetensors" or (head[8:9] == b"{" and not head.startswith(_ZIP)):
        return _read_safetensors(path)
    if not head.startswith(_ZIP):
        raise LoadError(f"{path} is not a checkpoint; expected a .safetensors file or a torch zip.")
    return _read_zip(path)


def weights_digest(state: Mapping[str, Tensor]) -> str:
    """Digest of the weights, 32 hex digits: sorted names, dtypes, shapes and bytes, whatever file they came from."""
    digest = hashlib.blake2b(digest_size=16)
    for name in sorted(state):
        tensor = state[name].detach().cpu().contiguous()
        digest.update(f"{name}\0{tensor.dtype}{tuple(tensor.shape)}\0".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def packed(content: Any) -> bytes:
    """Tensors and plain containers as a torch zip; the same content gives the same bytes."""
    buffer = io.BytesIO()  # torch.save to a path would put the file's name into the archive
    torch.save(content, buffer)
    return buffer.getvalue()


def write_atomic(path: Path, content: bytes) -> None:
    """The file holds all of ``content`` or what it held before, even after kill -9; raises UsageError."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise UsageError(f"{path} cannot be written: {error.strerror}; choose another place.") from error


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            head = stream.read(16)
    except OSError as error:
        raise LoadError(f"The checkpoint {path} cannot be read: {error.strerror}; check the path.") from error
    if not head:
        raise LoadError(f"The checkpoint {path} is empty; train or copy it again.")
    return head


def _read_safetensors(path: Path) -> tuple[StateDict, Metadata]:
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(KEY)
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  not a dict
        metadata = None if text is None else json.loads(text)
    except (safetensors.SafetensorError, json.JSONDecodeError) as error:
        raise _broken(path, "safetensors file", error) from error
    return state, _checked(metadata, path)


def _read_zip(path: Path) -> tuple[StateDict, Metadata]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise LoadError(
            f"{path} holds Python objects that would have to run code, so it is not read; save its weights alone with "
            "torch.save(model.state_dict(), PATH)."
        ) from error
    except (RuntimeError, ValueError, EOFError, KeyError) as error:
        raise _broken(path, "torch zip", error) from error
    metadata = content.get(KEY) if isinstance(content, dict) else None
    checked = _checked(metadata, path)
    state = content.get("state_dict")
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise LoadError(f"{path} has no weights under 'state_dict'; save it again with mmbench.")
    return state, checked


def _checked(metadata: Any, path: Path) -> Metadata:
    if not isinstance(metadata, dict):
        raise LoadError(
            f"{path} holds weights but does not say of which model: it was not saved by mmbench; "
            "name the module that they belong to with --arch FILE.py:ClassName."
        )
    return metadata


def _broken(path: Path, what: str, error: Exception) -> LoadError:
    reason = (" ".join(str(error).split()) or type(error).__name__)[:160].rstrip(".")
    return LoadError(f"{path} is a broken {what} ({reason}); train or copy it again.")
