"""T6 on any machine: a module that keeps its first answer goes through the harness as a model does, and is told."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from mmbench.core.sample import Batch
from mmbench.perf.workload import workload


class _Squares(torch.nn.Module):
    """The squares of its input; the liar's are those of its first one."""

    def __init__(self, *, lies: bool) -> None:
        super().__init__()
        self._lies = lies
        self._kept: torch.Tensor | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """The square of each element."""
        if self._kept is None or not self._lies:
            self._kept = x * x
        return self._kept


class _Model:
    """What the harness needs of a model."""

    def __init__(self, module: torch.nn.Module) -> None:
        self.module = module

    def predict(self, batch: Batch) -> list[Any]:
        """Calls the module; there is nothing to score."""
        self.module(torch.from_numpy(np.stack(batch.inputs["x"])))
        return []


def is_told(*, lies: bool) -> bool:
    """Whether the harness says that the output is constant."""
    batches = [Batch((str(i),), {"x": (np.full(4, float(i)),)}, {}) for i in range(3)]
    model: Any = _Model(_Squares(lies=lies))
    return workload(model, batches).constant
