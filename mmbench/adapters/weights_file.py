"""Reads the weights in a file or folder of the user's, without running anything that it holds."""

from __future__ import annotations

import json
import pickle
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import load_file

from mmbench.adapters.recognise import program_in
from mmbench.adapters.weights.dcp import is_distributed, read_distributed
from mmbench.adapters.weights.find import find_state_dict, resave, shown
from mmbench.adapters.weights.inert import is_tar, read_inert, screen
from mmbench.adapters.weights.sharded import read_sharded, weights_in
from mmbench.core.errors import LoadError
from mmbench.models.checkpoint import KEY, StateDict


def read_state_dict(path: Path, key: str | None = None) -> StateDict:
    """Names and tensors of the weights, on the CPU, without the prefixes of DataParallel and torch.compile.

    ``path`` is a file of ``torch.save`` in any of its formats or of safetensors, or a folder of transformers (whole or
    sharded) or of ``torch.distributed.checkpoint``. ``key`` says where in it the weights are (nested: ``a.b``); else
    they are looked for. Raises LoadError in one sentence when there is no such file, or no state dict in it.
    """
    content = _read(path)
    with _damage_of(path, "torch"):
        return find_state_dict(content, path, key)


def metadata_of(path: Path) -> Mapping[str, Any]:
    """What mmbench wrote beside the weights, empty in a file of another program; raises LoadError as above."""
    if path.is_dir():
        return {}
    if _is_safetensors(path, _head(path)):
        with _damage_of(path, "safetensors"), safe_open(path, framework="pt") as file:
            found = json.loads((file.metadata() or {}).get(KEY, "{}"))
    else:
        content = _read(path)
        found = content.get(KEY) if isinstance(content, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _read(path: Path) -> Any:
    if path.is_dir():
        return _read_folder(path)
    head = _head(path)
    if _is_safetensors(path, head):
        with _damage_of(path, "safetensors"):
            return load_file(path)
    if head.startswith((b"PK\x03\x04", b"\x80")) or is_tar(path):
        with _damage_of(path, "torch"):
            return _read_torch(path)
    raise LoadError(f"{path} is {_what_it_is(head)}; expected a checkpoint (.safetensors, or torch.save of weights).")


def _read_folder(folder: Path) -> Any:
    with _damage_of(folder, "torch"):
        if is_distributed(folder):
            return read_distributed(folder)
        found = weights_in(folder)
        if found is not None:
            return read_sharded(found, _read) if found.suffix == ".json" else _read(found)
    raise LoadError(
        f"{folder} is a folder without weights; expected a checkpoint file, or a folder with model.safetensors, "
        "an index of shards, or the .metadata of torch.distributed.checkpoint."
    )


def _is_safetensors(path: Path, head: bytes) -> bool:
    """Eight bytes with the length of the header, then the header, which is JSON.

    A length may begin like a pickle (0x80) or a zip (PK); read as a length, those reach beyond their file.
    """
    fits = int.from_bytes(head[:8], "little") <= path.stat().st_size - 8
    return head[8:9] == b"{" and (fits or not head.startswith((b"PK", b"\x80")))


def _head(path: Path) -> bytes:
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
    """``weights_only`` where the file is made for it, the inert reader for the rest; both after a look at the file."""
    kind = program_in(path)
    if kind is not None:
        form = "TorchScript" if kind == "torchscript" else "torch.export"
        raise LoadError(
            f"{path} is a {form} archive, which holds code; if you trust it, run it as {kind}:{path}, or {resave()}."
        )
    screened = screen(path)
    if screened.readable_by_torch and not screened.unknown:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of pickle protocols that torch does not write itself
                return torch.load(path, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError:  # opcodes that torch does not know, such as those of newer protocols
            return read_inert(path)
    _refuse_unbuilt(path, screened.unknown)
    return read_inert(path)


def _refuse_unbuilt(path: Path, unknown: frozenset[str]) -> None:
    """Tensors of kinds that are not rebuilt here would be missing weights; better say so than list them as missing."""
    kinds = sorted(name for name in unknown if name.startswith("torch._utils._rebuild_"))
    if kinds:
        raise LoadError(
            f"{path} holds tensors of a kind that is not read beside other objects ({shown(kinds[0])}); save the state "
            "dict alone: torch.save(model.state_dict(), 'my.ckpt')."
        )
