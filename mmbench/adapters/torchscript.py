"""``torchscript:FILE``: a module of torch.jit."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch

from mmbench.adapters.program import Program, broken, consent, identity_of
from mmbench.adapters.torch_model import TorchModel
from mmbench.core.model import Model, ModelRequest
from mmbench.core.registry import adapter

_WHAT = "a TorchScript archive"


@adapter("torchscript", needs="torch", example="torchscript:my.pt")
def open_torchscript(request: ModelRequest) -> Model:
    """A scripted or traced module of torch.jit, with its weights; it is run, and only when it is asked for."""
    agreed = consent(request, "torchscript", _WHAT)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # torch.jit itself; people have the files
            module = torch.jit.load(request.target, map_location="cpu")  # type: ignore[no-untyped-call]
            module.eval()
    except Exception as error:  # the reader of a foreign format may fail in any way
        raise broken(request.target, _WHAT, error) from error
    arguments = [argument.name for argument in module.forward.schema.arguments[1:]]
    program = Program(module.forward, arguments, module)
    return TorchModel(program, Path(request.target).stem, request, identity_of(request, agreed, "TorchScript"))
