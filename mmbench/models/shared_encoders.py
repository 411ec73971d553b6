"""Checkpoints that share their encoders: models of one suite on the same frozen encoders keep these in one file.

The file stands beside the folders of the checkpoints, and its name says what is in it:
``<suite>/encoders-<digest>.safetensors``, ``<suite>/<model>/weights.safetensors``. It holds float16: encoders are
rounded before anything is trained on them, so that what is stored is what was trained.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from mmbench.core.errors import LoadError
from mmbench.models.checkpoint import Metadata, StateDict, read_checkpoint, save_checkpoint, weights_digest

# Under this name a checkpoint's metadata names the files of its encoders, by modality.
_KEY = "shared_encoders"
_PREFIX = "encoders."
_NAME = re.compile(r"^encoders-[a-z0-9_]+-[0-9a-f]{32}\.safetensors$")


@torch.no_grad()
def round_to_half(encoders: nn.Module) -> None:
    """Rounds weights in place to the nearest float16; a tensor that leaves its range stays as it is."""
    for value in encoders.state_dict().values():
        value.copy_(_halved(value))


def save_sharing(path: Path, model: nn.Module, modalities: Sequence[str], metadata: Metadata) -> None:
    """Writes the model to ``path``, and its encoders of ``modalities`` into files of their own in the folder above.

    The encoders were rounded by ``round_to_half``. Raises UsageError when a file cannot be written.
    """
    state, files = model.state_dict(), {}
    for m in modalities:
        start = f"{_PREFIX}{m}."
        own = {name.removeprefix(start): value for name, value in state.items() if name.startswith(start)}
        files[m] = f"encoders-{m}-{weights_digest(own)}.safetensors"
        save_checkpoint(path.parent.parent / files[m], {part: _halved(value) for part, value in own.items()}, {})
    rest = {name: value for name, value in state.items() if not name.startswith(_PREFIX)}
    save_checkpoint(path, rest, {**metadata, _KEY: files})


def with_shared(path: Path, state: StateDict, metadata: Metadata) -> StateDict:
    """The weights of the checkpoint ``path`` together with the encoders that it names; the same where it names none.

    Raises LoadError when a file is missing, or is not the one that is named.
    """
    files = metadata.get(_KEY) or {}
    whole = dict(state)
    for m, name in files.items() if isinstance(files, dict) else ():
        if not isinstance(name, str) or _NAME.match(name) is None:
            raise LoadError(f"{path} names {name!r} as its encoder; expected a file beside its folder.")
        stored, _ = read_checkpoint(path.parent.parent / name)
        found = {part: value.float() if value.dtype == torch.float16 else value for part, value in stored.items()}
        if weights_digest(found) not in name:
            raise LoadError(
                f"{path.parent.parent / name} is not the encoder that {path} was trained on; copy it again."
            )
        whole |= {f"{_PREFIX}{m}.{part}": value for part, value in found.items()}
    return whole


def _halved(value: Tensor) -> Tensor:
    half = value.half() if value.is_floating_point() else value
    return half if bool(torch.isfinite(half).all()) else value
