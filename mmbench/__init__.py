"""mmbench: benchmark and evaluation of multimodal fusion models."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__version__ = "0.1.0"
__all__ = ["__version__", "save_checkpoint"]


def save_checkpoint(
    path: str | Path,
    model: torch.nn.Module,
    arch: str | None = None,
    arch_kwargs: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
) -> None:
    """Saves the weights of ``model`` and what it takes to build it again; ``.safetensors`` or a torch zip by suffix.

    ``arch`` is ``FILE.py:Class`` or ``package.module:Class`` (by default that of the model's class), ``arch_kwargs``
    its arguments, ``training`` JSON-able facts for the row. The file names code and holds none: it is run only for
    those who add ``--arch`` or ``--allow-code``. Needs torch. Raises UsageError when the file cannot be written, or an
    argument is not JSON-able.

        mmbench.save_checkpoint("my.ckpt", model, arch_kwargs={"width": 32})
    """
    from mmbench.models.named import save_named

    save_named(Path(path), model, arch, dict(arch_kwargs or {}), dict(training or {}))
