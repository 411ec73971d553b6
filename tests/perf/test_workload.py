"""What is timed of a module: its own calls with their precision, compiled or not; liars are told."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mmbench.core.errors import LoadError
from mmbench.core.sample import Batch
from mmbench.perf.replicate import is_out_of_memory
from mmbench.perf.workload import requests, rotating, uncompiled, workload

torch = pytest.importorskip("torch")
BATCHES = [Batch(("a",), {"x": (np.full((size, 4), float(i), np.float32),)}, {}) for i, size in enumerate((2, 2, 3))]


class Linear(torch.nn.Module):
    """One product."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layer = torch.nn.Linear(4, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)


class Model:
    """The least that the harness asks of a model; it predicts under autocast where ``half``."""

    def __init__(self, module: torch.nn.Module, half: bool = False) -> None:
        self.module, self.half = module, half

    def predict(self, batch: Batch) -> list[Any]:
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self.half):
            self.module(torch.from_numpy(batch.inputs["x"][0]))
        return []


@pytest.mark.parametrize(("half", "kind"), [(False, torch.float32), (True, torch.bfloat16)])
def test_the_module_is_played_back_in_its_precision(half: bool, kind: torch.dtype) -> None:
    work = workload(Model(Linear(), half), BATCHES)
    assert {work.device().dtype for _ in BATCHES} == {kind}
    assert work.plain().dtype == kind


def test_what_is_timed_is_compiled_and_what_is_counted_is_not() -> None:
    """A backend that counts: one graph per shape, made before the first measured call; hooks and counters make none."""
    from torch._dynamo import reset

    from mmbench.perf.flops import count

    made: list[int] = []

    def backend(graph: torch.fx.GraphModule, _: Any) -> Any:
        made.append(1)
        return graph.forward

    reset()
    module = Linear().eval()
    module.compile(backend=backend, dynamic=False)
    model = Model(module)
    model.predict(BATCHES[0])
    work = workload(model, BATCHES)
    assert len(made) == 2
    for _ in range(2 * len(BATCHES)):
        work.device()
        work.request()
    assert len(made) == 2
    assert count(work.plain)[0] == 2 * 4 * 4 * 2
    assert len(made) == 2
    with uncompiled(module):
        assert module._compiled_call_impl is None
    assert module._compiled_call_impl is not None
    reset()


def test_requests_alone_keep_no_inputs_on_the_device() -> None:
    """They are predictions in turn: the first call goes to the second batch, as each first one was tried."""
    seen: list[int] = []
    model = Model(Linear())
    model.module.register_forward_pre_hook(lambda _, args: seen.append(len(args[0])))
    call = rotating(requests(model, BATCHES))
    for _ in range(3):
        call()
    assert seen == [2, 2, 3, 2]


def test_a_batch_that_memory_holds_in_halves_alone_is_not_timed_as_one() -> None:
    """The adapter answers all the same, so that the harness has to ask; a sweep ends there."""
    model = Model(Linear())
    model.sub_batch = 1
    two = [Batch(("a", "b"), {"x": (np.zeros((2, 4), np.float32),) * 2}, {})]
    with pytest.raises(LoadError, match="holds 1 items at once and no batch of 2") as caught:
        workload(model, two)
    assert is_out_of_memory(caught.value)
