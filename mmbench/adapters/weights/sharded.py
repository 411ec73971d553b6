"""Folders of a model that is saved in several files: an ``*.index.json`` says which tensor is in which."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch

from mmbench.adapters.weights.inside import inside
from mmbench.core.errors import LoadError

# In the order of preference: what cannot hold code first.
SINGLE = ("model.safetensors", "diffusion_pytorch_model.safetensors", "pytorch_model.bin")
_INDEX = tuple(f"{name}.index.json" for name in SINGLE)
_LARGEST_INDEX = 1 << 28


def weights_in(folder: Path) -> Path | None:
    """The file of weights or the index in a folder as transformers and diffusers save it, None when there is none."""
    return next(
        (folder / name for pair in zip(SINGLE, _INDEX, strict=True) for name in pair if _is(folder / name)), None
    )


def read_sharded(index: Path, read: Callable[[Path], Any]) -> dict[str, torch.Tensor]:
    """All tensors that the index names, from the files that it names; ``read`` reads one file.

    Raises LoadError when the index is broken, names a file outside its folder, or a tensor is not where it should be.
    """
    wanted: dict[str, list[str]] = {}
    for tensor, file in _weight_map(index).items():
        wanted.setdefault(file, []).append(tensor)
    found: dict[str, torch.Tensor] = {}
    for file, names in sorted(wanted.items()):
        content = read(inside(index.parent, file))
        lacking = [n for n in names if not isinstance(content, Mapping) or not isinstance(content.get(n), torch.Tensor)]
        if lacking:
            raise LoadError(
                f"{index} says that {lacking[0][:80]!r} is in {file[:80]!r}, which does not hold it; download it again."
            )
        found.update({name: content[name] for name in names})
    return found


def _is(path: Path) -> bool:
    return path.is_file()


def _weight_map(index: Path) -> Mapping[str, str]:
    try:
        if index.stat().st_size > _LARGEST_INDEX:
            raise LoadError(f"{index} is larger than an index of weights can be; download it again.")
        table = json.loads(index.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise LoadError(f"The index of weights {index} cannot be read; download it again.") from error
    found = table.get("weight_map") if isinstance(table, Mapping) else None
    if not isinstance(found, Mapping) or not found or not all(isinstance(file, str) for file in found.values()):
        raise LoadError(f"{index} has no weight_map of tensor and file names; download it again.")
    return found
