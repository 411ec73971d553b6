"""``pt2:FILE``: a program of torch.export."""

from __future__ import annotations

import inspect
from pathlib import Path

import torch

from mmbench.adapters.numerics import choose_device
from mmbench.adapters.program import Program, broken, consent, identity_of
from mmbench.adapters.torch_model import TorchModel
from mmbench.core.model import Model, ModelRequest
from mmbench.core.registry import adapter

_WHAT = "an archive of torch.export"


@adapter("pt2", needs="torch", example="pt2:my.pt2")
def open_exported(request: ModelRequest) -> Model:
    """A program of torch.export, with its weights; it is run, and only when it is asked for."""
    agreed = consent(request, "pt2", _WHAT)
    device = choose_device(request.options.device)
    try:
        exported = torch.export.load(request.target)
        if device.type != "cpu":
            from torch.export.passes import move_to_device_pass

            exported = move_to_device_pass(exported, str(device))
        module = exported.module()
    except Exception as error:  # the reader of a foreign format may fail in any way
        raise broken(request.target, _WHAT, error) from error
    program = Program(module.forward, inspect.signature(module.forward).parameters, module)
    return TorchModel(program, Path(request.target).stem, request, identity_of(request, agreed, "torch.export"))
