"""Encoders that were trained on their own modality's signature, kept between trainings."""

from __future__ import annotations

import os
from pathlib import Path

from mmbench.core.errors import LoadError
from mmbench.models.checkpoint import Metadata, StateDict, read_checkpoint, save_checkpoint


def folder() -> Path:
    """Where they are kept: MMBENCH_CACHE, else ~/.cache/mmbench."""
    base = os.environ.get("MMBENCH_CACHE")
    return Path(base) / "encoders" if base else Path.home() / ".cache" / "mmbench" / "encoders"


def state_file(key: str) -> Path:
    """Where the unfinished training of the encoder is kept."""
    return folder() / f"{key}.training"


def load(key: str) -> tuple[StateDict, Metadata] | None:
    """The weights of the encoder with this key (it identifies all that they depend on) and its record, if it is there.

    A file that cannot be read counts as not there: it is a cache.
    """
    path = _file(key)
    try:
        return read_checkpoint(path) if path.exists() else None
    except LoadError:
        return None


def save(key: str, weights: StateDict, record: Metadata) -> None:
    """Keeps an encoder; raises UsageError when the folder cannot be written."""
    save_checkpoint(_file(key), weights, record)
    state_file(key).unlink(missing_ok=True)


def _file(key: str) -> Path:
    return folder() / f"{key}.safetensors"
