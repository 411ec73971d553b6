"""mmbench: benchmark and evaluation of multimodal fusion models."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

__version__ = "0.1.0"
__all__ = ["__version__", "save_checkpoint"]


def save_checkpoint(
    path: str | Path,
    model: Any,
    arch: str | None = None,
    arch_kwargs: Mapping[str, Any] | None = None,
    training: Mapping[str, Any] | None = None,
) -> None:
    """Saves the weights of ``model`` (a torch.nn.Module) and what it takes to build it again, by suffix as
    ``.safetensors`` or a torch zip.

    ``arch`` is ``FILE.py:Class`` or ``package.module:Class`` (by default that of the model's class), ``arch_kwargs``
    its arguments, ``training`` JSON-able facts for the row. The file names code and holds none: it is run only for
    those who add ``--arch`` or ``--allow-code``. Needs torch. Raises UsageError when the file cannot be written, or an
    argument is not JSON-able.

        mmbench.save_checkpoint("my.ckpt", model, arch_kwargs={"width": 32})
    """
    # By name: the light half imports this module, and must not reach torch through it.
    import_module("mmbench.models.named").save_named(
        Path(path), model, arch, dict(arch_kwargs or {}), dict(training or {})
    )
