"""Copies between host and device as stages: seen where torch is asked for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from mmbench.perf.stages import D2H, H2D, Marks

_METHODS = {torch.Tensor.to, torch.Tensor.cpu, torch.Tensor.cuda, torch.Tensor.copy_}


class TransferWatch(TorchFunctionMode):
    """While active, a call that moves a tensor from the host leaves a mark ``h2d``, one to the host ``d2h``.

    What moves within the forward pass belongs to the part that moves it.
    """

    def __init__(self, marks: Marks) -> None:
        super().__init__()
        self._marks = marks

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Calls ``func``; marks it when the device of the result is another one."""
        kwargs = kwargs or {}
        if func not in _METHODS or self._marks.forwards:
            return func(*args, **kwargs)
        start = self._marks.clock.mark()
        out = func(*args, **kwargs)
        source = args[0] if func is not torch.Tensor.copy_ else [*args, *kwargs.values()][1]
        if source.device.type != out.device.type:
            name = D2H if out.device.type == "cpu" else H2D
            self._marks.pairs.append((name, start, self._marks.clock.mark()))
        return out
