"""Checkpoints of a user's own module: the weights, and the name of the code that they belong to."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from mmbench.core.errors import LoadError, UsageError
from mmbench.models.checkpoint import save_checkpoint

# Under this name the architecture stands in a checkpoint's metadata.
ARCH_KEY = "arch"


def save_named(
    path: Path, model: nn.Module, arch: str | None, kwargs: Mapping[str, Any], training: Mapping[str, Any]
) -> None:
    """See ``mmbench.save_checkpoint``."""
    metadata = {ARCH_KEY: {"reference": arch or reference_of(type(model)), "kwargs": kwargs}, "training": training}
    try:
        json.dumps(metadata, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"arch_kwargs and training must be numbers, texts, lists and dicts that JSON can hold; found {error}."
        ) from error
    save_checkpoint(path, model, metadata)


def reference_of(kind: type) -> str:
    """``package.module:Class``; for a class of the script that runs, ``FILE.py:Class``; raises UsageError elsewhere."""
    if "<locals>" in kind.__qualname__ or "." in kind.__qualname__:
        raise UsageError(f"{kind.__qualname__} stands inside another definition; give arch='FILE.py:Class'.")
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    if kind.__module__ == "__main__":
        if file is None:
            raise UsageError(f"{kind.__qualname__} was defined where there is no file; give arch='FILE.py:Class'.")
        return f"{Path(file).name}:{kind.__qualname__}"
    return f"{kind.__module__}:{kind.__qualname__}"


def architecture_in(metadata: Mapping[str, Any], path: Path) -> tuple[str, dict[str, Any]] | None:
    """The code that a checkpoint names and its arguments, None when it names none; raises LoadError when broken."""
    found = metadata.get(ARCH_KEY)
    if found is None:
        return None
    reference = found.get("reference") if isinstance(found, Mapping) else None
    kwargs = found.get("kwargs") if isinstance(found, Mapping) else None
    if not isinstance(reference, str) or not isinstance(kwargs, Mapping) or not all(isinstance(k, str) for k in kwargs):
        raise LoadError(f"{path} names its code in a way that cannot be read; name it with --arch FILE.py:ClassName.")
    return reference, dict(kwargs)
