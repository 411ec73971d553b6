"""From a subject to a model that can be called: opened, moved, compiled, with its inputs, and what that took."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmbench.core.errors import UsageError
from mmbench.core.model import Model
from mmbench.core.sample import Batch
from mmbench.perf.clock import Clock, clock_for
from mmbench.perf.request import Cold, Subject
from mmbench.perf.workload import ROTATED, Call, SamplePool, Workload, draw_batches, requests, rotating, workload

_BURN_SIDE = 64
# Batches of what is measured a few times only.
_FEW = 3


@dataclass
class Ready:
    """A loaded subject; ``load`` makes the workload of a batch size. ``changes`` counts recompilations.

    ``requests`` makes a batch size's requests alone, without the device's inputs that a workload keeps: for memory.
    """

    device: str
    clock: Clock
    cold: Cold
    load: Callable[[int], Workload]
    requests: Callable[[int], Call]
    changes: Callable[[], int]
    model: Model | None = None


def prepare(subject: Subject, started: float) -> Ready:
    """Opens the model and its inputs; ``started`` is the wall-clock time at which the process was asked for."""
    if subject.burn is not None:
        return _burning(subject.burn, started, subject.model_options().device)
    return _opened(subject, started)


def _opened(subject: Subject, started: float) -> Ready:
    from mmbench.adapters.opening import open_model
    from mmbench.runner.suites import SuiteChoice, open_suite

    roots = {"": Path(subject.root)} if subject.root else {}
    suite = open_suite(subject.suite, SuiteChoice(roots=roots))
    options = subject.model_options()
    _import_torch(subject.locator)
    imported = time.time()
    model = open_model(subject.locator, suite.spec, suite.source, options)
    loaded = time.time()
    device = str(getattr(model, "device", "cpu"))
    clock = clock_for(device)
    (batch, *_) = draw_batches(SamplePool(suite.source, 0), model.info.modalities, suite.spec.spatial, 1)
    first = timed_call(model, batch, clock)
    compiled = compiled_call(model, batch, clock) if subject.compile else None
    cold = Cold(import_s=imported - started, load_s=loaded - imported, first_call_s=first, compile_s=compiled)

    samples = SamplePool(suite.source, subject.seed)

    def load(batch: int) -> Workload:
        return workload(model, draw_batches(samples, model.info.modalities, suite.spec.spatial, batch))

    def few(batch: int) -> Call:
        drawn = draw_batches(samples, model.info.modalities, suite.spec.spatial, batch, _FEW)
        return rotating(requests(model, drawn))

    return Ready(device, clock, cold, load, few, _recompilations if subject.compile else lambda: 0, model)


def _import_torch(locator: str) -> None:
    """So that importing is told apart from loading, where the adapter needs torch."""
    from mmbench.adapters.locator import Locator
    from mmbench.core import registry

    if registry.adapter.entry(Locator.parse(locator).scheme).needs == "torch":
        registry.adapter.get(Locator.parse(locator).scheme)


def timed_call(model: Model, batch: Batch, clock: Clock) -> float:
    """Seconds of one prediction, until the device is done."""
    start = clock.now()
    model.predict(batch)
    clock.synchronise()
    return clock.now() - start


def compiled_call(model: Any, batch: Batch, clock: Clock) -> float:
    """Seconds until a model that is to be compiled has answered once: torch compiles at the first call, not before.

    Raises UsageError for a model without a torch module.
    """
    module = getattr(model, "module", None)
    if module is None:
        raise UsageError("--compile needs a torch module, and this model has none; leave it out.")
    module.compile()
    return timed_call(model, batch, clock)


def _recompilations() -> int:
    from torch._dynamo.utils import counters

    return sum(counters["stats"].values()) + sum(counters["frames"].values())


def _burning(products: float, started: float, device: str) -> Ready:
    """Products of 64 x 64 matrices, so many per call: a workload of known relative cost that starts in no time."""
    random = np.random.Generator(np.random.Philox(key=0))
    matrices: list[Any] = [random.standard_normal((_BURN_SIDE, _BURN_SIDE)).astype(np.float32) for _ in range(ROTATED)]
    device = device if device.startswith("cuda") else "cpu"
    clock = clock_for(device)
    if device != "cpu":
        import torch

        matrices = [torch.from_numpy(matrix).to(device) for matrix in matrices]
    imported = time.time()
    count, place = int(products), 0

    def call() -> object:
        nonlocal place
        place = (place + 1) % ROTATED
        matrix = matrices[place]
        out = matrix
        for _ in range(count):
            out = matrix @ matrix
        return out

    start = clock.now()
    call()
    clock.synchronise()
    cold = Cold(import_s=imported - started, load_s=0.0, first_call_s=clock.now() - start)
    return Ready(device, clock, cold, lambda batch: Workload(batch, call, None, call), lambda _: call, lambda: 0)
