"""Reads the weights in a file of the user's, without running anything that the file holds."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from mmbench.adapters.inert import Inert, read_inert
from mmbench.core.errors import LoadError
from mmbench.models.checkpoint import KEY, StateDict

# Where training code usually keeps the weights, tried in this order.
USUAL_KEYS = ("state_dict", "model_state_dict", "model", "net", "network", "module", "weights", "params")
_WRAPPERS = ("module.", "_orig_mod.")
_RESAVE = "re-save it where you trust it: torch.save(model.state_dict(), 'my.ckpt')"


def read_state_dict(path: Path, key: str | None = None) -> StateDict:
    """Names and tensors of the weights, on the CPU, without the prefixes of DataParallel and torch.compile.

    ``key`` says where in the file they are (nested: ``a.b``); else they are looked for under the usual names. Raises
    LoadError in one sentence when the file is missing, is not a checkpoint, or holds no state dict.
    """
    return _unwrapped(_find(_read(path), path, key))


def metadata_of(path: Path) -> Mapping[str, Any]:
    """What mmbench wrote beside the weights, empty in a file of another program; raises LoadError as above."""
    if _is_safetensors(path, _head(path)):
        with _damage_of(path, "safetensors"), safe_open(path, framework="pt") as file:
            found = json.loads((file.metadata() or {}).get(KEY, "{}"))
    else:
        content = _read(path)
        found = content.get(KEY) if isinstance(content, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _read(path: Path) -> Any:
    head = _head(path)
    if _is_safetensors(path, head):
        with _damage_of(path, "safetensors"):
            return load_file(path)
    if head.startswith((b"PK\x03\x04", b"\x80")):
        with _damage_of(path, "torch"):
            return _read_torch(path)
    raise LoadError(f"{path} is {_what_it_is(head)}; expected a checkpoint (.safetensors, or torch.save of weights).")


def _is_safetensors(path: Path, head: bytes) -> bool:
    """Eight bytes with the length of the header, then the header, which is JSON.

    A length may begin like a pickle (0x80) or a zip (PK); read as a length, those reach beyond their file.
    """
    fits = int.from_bytes(head[:8], "little") <= path.stat().st_size - 8
    return head[8:9] == b"{" and (fits or not head.startswith((b"PK", b"\x80")))


def _head(path: Path) -> bytes:
    if path.is_dir():
        raise LoadError(f"{path} is a folder; expected a checkpoint file.")
    try:
        with path.open("rb") as stream:
            return stream.read(64)
    except OSError as error:
        raise LoadError(f"The checkpoint {path} cannot be read: {error.strerror}; check the path.") from error


def _what_it_is(head: bytes) -> str:
    if not head:
        return "empty (0 bytes)"
    if head.lstrip().lower().startswith((b"<!doctype", b"<html", b"<?xml")):
        return "a web page, not weights (a download that failed)"
    if head.startswith(b"version https://git-lfs"):
        return "a Git LFS pointer, not the weights (run git lfs pull)"
    return f"not a format that is known (it begins with {head[:8]!r})"


@contextmanager
def _damage_of(path: Path, form: str) -> Iterator[None]:
    """A damaged file can fail anywhere in a reader, with any exception."""
    try:
        yield
    except LoadError:
        raise
    except Exception as error:
        what = " ".join(str(error).split())[:200].rstrip(".") or type(error).__name__
        raise LoadError(
            f"{path} looks like a {form} checkpoint but is damaged ({what}); save or download it again."
        ) from error


def _read_torch(path: Path) -> Any:
    is_zip = zipfile.is_zipfile(path)
    if is_zip and _is_torchscript(path):
        raise LoadError(f"{path} is a TorchScript archive, which holds code; {_RESAVE}.")
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as refusal:
        if is_zip:
            return read_inert(path)
        raise LoadError(
            f"{path} is a pickle that is not read because it could run code ({_refused_name(refusal)}); {_RESAVE}."
        ) from refusal


def _is_torchscript(path: Path) -> bool:
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith("/constants.pkl") for name in archive.namelist())


def _refused_name(refusal: pickle.UnpicklingError) -> str:
    _, found, rest = str(refusal).partition("GLOBAL ")
    return f"it asks for {rest.split()[0]}" if found and rest.split() else "it is not a plain state dict"


def _find(content: Any, path: Path, key: str | None) -> Mapping[str, torch.Tensor]:
    if isinstance(content, Inert):
        raise LoadError(f"{path} holds a whole pickled object ({content.origin}), not a state dict; {_RESAVE}.")
    if key is not None:
        return _under_key(content, path, key)
    if _is_state_dict(content):
        return _tensors(content)
    candidates = [name for name in USUAL_KEYS if isinstance(content, Mapping) and _is_state_dict(content.get(name))]
    if len(candidates) == 1:
        return _tensors(content[candidates[0]])
    if candidates:
        raise LoadError(f"{path} holds several state dicts ({', '.join(candidates)}); choose one with --key.")
    raise LoadError(
        f"{path} holds no state dict under a usual name; it holds {_describe(content)}; name it with --key."
    )


def _under_key(content: Any, path: Path, key: str) -> Mapping[str, torch.Tensor]:
    found = content
    for part in [key] if isinstance(content, Mapping) and key in content else key.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    if found is None or not _is_state_dict(found):
        raise LoadError(f"{path} holds no state dict under --key {key}; it holds {_describe(content)}.")
    return _tensors(found)


def _is_state_dict(value: Any) -> bool:
    """All names are text, at least one value is a tensor, and whatever is not one is a module's extra state."""
    if not isinstance(value, Mapping) or not any(isinstance(v, torch.Tensor) for v in value.values()):
        return False
    return all(isinstance(k, str) and (isinstance(v, torch.Tensor) or _is_extra(k)) for k, v in value.items())


def _is_extra(name: str) -> bool:
    return name.rpartition(".")[2] == "_extra_state"


def _tensors(state: Mapping[str, Any]) -> Mapping[str, torch.Tensor]:
    return {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}


def _unwrapped(state: Mapping[str, torch.Tensor]) -> StateDict:
    names = {name: name for name in state}
    while prefix := next((p for p in _WRAPPERS if all(n.startswith(p) for n in names.values())), None):
        names = {name: short.removeprefix(prefix) for name, short in names.items()}
    # torch.compile of a submodule leaves its mark inside the name.
    return {short.replace("._orig_mod.", "."): state[name] for name, short in names.items()}


def _describe(content: Any) -> str:
    if not isinstance(content, Mapping):
        return f"a {type(content).__name__}"
    parts = [f"{name} ({_kind(value)})" for name, value in list(content.items())[:8]]
    more = f" and {len(content) - 8} more" if len(content) > 8 else ""
    return ", ".join(parts) + more if parts else "an empty dict"


def _kind(value: Any) -> str:
    if isinstance(value, torch.Tensor):
        return f"tensor {list(value.shape)}"
    if isinstance(value, Mapping):
        return f"dict of {len(value)}"
    return value.origin if isinstance(value, Inert) else type(value).__name__
