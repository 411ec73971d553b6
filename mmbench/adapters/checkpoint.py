"""``my.ckpt``: weights in a file, with the user's own architecture or self-contained."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from mmbench.adapters.fill import fill, weights_of
from mmbench.adapters.self_contained import open_self_contained
from mmbench.adapters.torch_model import Identity, TorchModel
from mmbench.adapters.user_code import UserCode, load_user_code
from mmbench.adapters.weights.find import shown
from mmbench.adapters.weights_file import metadata_of, read_state_dict
from mmbench.core.errors import LoadError
from mmbench.core.model import Model, ModelRequest
from mmbench.core.registry import adapter
from mmbench.models.assembled import CONFIG_KEY
from mmbench.models.checkpoint import weights_digest
from mmbench.models.named import architecture_in


@adapter("checkpoint", needs="torch", example="my.ckpt --arch my_model.py:MyFusion")
def open_checkpoint(request: ModelRequest) -> Model:
    """A file of weights: with --arch FILE.py:Name a module of yours, without it what mmbench train saved."""
    path = Path(request.target)
    metadata = metadata_of(path)
    named = architecture_in(metadata, path)
    if request.options.arch is not None:
        kwargs = dict(request.options.arch_kwargs) or (named[1] if named else {})
        return _with_architecture(path, load_user_code(request.options.arch, "--arch"), kwargs, request)
    if CONFIG_KEY in metadata:
        return open_self_contained(path, path.stem, request)
    if named is not None:
        return _as_named(path, *named, request)
    state = read_state_dict(path, request.options.key)
    raise LoadError(
        f"{path} holds {len(state)} weights but not the model that they belong to; name the module that was trained "
        "with --arch FILE.py:ClassName (and --arch-kwargs where it needs arguments)."
    )


def _as_named(path: Path, reference: str, kwargs: dict[str, Any], request: ModelRequest) -> Model:
    """The code that the file names, for those who allow it: a checkpoint does not choose what is run."""
    if not request.options.allow_code:
        raise LoadError(
            f"{path} says that its weights belong to {shown(reference)}, which is code; if you trust it, add "
            f"--arch {shown(reference)} (or --allow-code)."
        )
    return _with_architecture(path, load_user_code(reference, "--allow-code"), kwargs, request)


def _with_architecture(path: Path, code: UserCode, kwargs: dict[str, Any], request: ModelRequest) -> Model:
    state = read_state_dict(path, request.options.key)
    module = code.build(kwargs)
    if not isinstance(module, torch.nn.Module):
        raise LoadError(f"--arch {code.reference} gave a {type(module).__name__}; expected a torch.nn.Module.")
    fit = fill(module, state, str(path), code.name, request.options.partial)
    left = () if fit.complete else (f"weights that do not fit were allowed (--partial): {fit.text}",)
    identity = Identity(
        digest=weights_digest(weights_of(module)),
        consents=(code.consent, *left),
        architecture={"arch": code.reference, "arch_kwargs": kwargs, "partial": fit.as_dict()},
    )
    return TorchModel(module, path.stem, request, identity)
