"""What is measured once, in a process of its own: memory, stages, operations, the server scenario, energy."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from math import exp
from typing import Any

from mmbench.core.errors import UsageError
from mmbench.core.performance import Energy, Memory, Operations, Server, Stages
from mmbench.core.record import Execution
from mmbench.perf.energy import find_counter, measure_energy
from mmbench.perf.memory import measure_memory, weights_mib
from mmbench.perf.peaks import peak_of
from mmbench.perf.preflight import hard_facts
from mmbench.perf.protocol import Block, BlockRule, block, warm_up
from mmbench.perf.ready import Ready
from mmbench.perf.replicate import is_out_of_memory
from mmbench.perf.request import Details, Request
from mmbench.perf.server import measure_server
from mmbench.perf.stages import measure_stages
from mmbench.perf.workload import Workload
from mmbench.runner.provenance import device_name
from mmbench.runner.scoring import model_record


def details(ready: Ready, request: Request) -> Details:
    """Memory first, while the process is young; the rest at the smallest batch size."""
    model = ready.model
    if model is None:
        raise UsageError("Arithmetic alone has no details; name a model.")
    module = getattr(model, "module", None)
    batches = sorted(request.batches)
    memory = _memory(ready, batches, module)
    work = ready.load(batches[0])
    warm_up(work.request, ready.clock, request.rules.first_warm_up, ready.changes)
    execution = _execution(ready, batches[0], compiled=request.subject.compile)
    return Details(
        model=model_record(model.info),
        execution=execution,
        facts=hard_facts(execution.device, execution.precision, execution.threads),
        memory=memory,
        stages=_stages(ready, work, module, request),
        operations=_operations(ready, work, module),
        server=_server(ready, work, request),
        energy=_energy(ready, work),
    )


def _execution(ready: Ready, batch: int, *, compiled: bool) -> Execution:
    """As this process has it: with torch and its threads."""
    torch = sys.modules.get("torch")
    return Execution(
        batch_size=batch,
        device=ready.device,
        precision=str(getattr(ready.model, "precision", "fp32")),
        threads=int(torch.get_num_threads()) if torch is not None else 1,
        compiled=compiled,
        channels_last=bool(getattr(getattr(ready.model, "numerics", None), "channels_last", False)),
    )


def _memory(ready: Ready, batches: Sequence[int], module: Any) -> tuple[Memory, ...]:
    """At each batch size, as far as memory goes."""
    found: list[Memory] = []
    for batch in batches:
        try:
            found.append(measure_memory(ready.requests(batch), ready.device, batch, weights_mib(module)))
        except Exception as error:
            if not found or not is_out_of_memory(error):
                raise
            break
    return tuple(found)


def _stages(ready: Ready, work: Workload, module: Any, request: Request) -> tuple[Stages, ...]:
    """Not of compiled modules: instruments inside would break the graph that is measured."""
    if module is None or request.subject.compile:
        return ()
    rules = request.rules
    found = measure_stages(work.each, module, ready.clock, work.batch_size, seconds=rules.stages_s, most=rules.detail_s)
    return (found,)


def _operations(ready: Ready, work: Workload, module: Any) -> tuple[Operations, ...]:
    if module is None or work.device is None:
        return ()
    from mmbench.perf.flops import operations

    seconds = exp(_block(ready, work).log_time)
    peak = peak_of(device_name(ready.device), str(getattr(ready.model, "precision", "fp32")))
    return (operations(work.plain, work.batch_size, work.bytes_least, seconds, peak),)


def _server(ready: Ready, work: Workload, request: Request) -> Server | None:
    if work.batch_size != 1:
        return None
    slo = None if request.slo_ms is None else request.slo_ms / 1000
    typical = exp(_block(ready, work, of_request=True).log_time)
    seed, queries, most = request.subject.seed, request.rules.queries, request.rules.detail_s
    return measure_server(work.request, ready.clock, typical, slo=slo, queries=queries, seed=seed, most=most)


def _energy(ready: Ready, work: Workload) -> Energy:
    counter, reason = find_counter(ready.device)
    if counter is None:
        return Energy(joules=None, reason=reason)
    return measure_energy(work.device or work.request, work.batch_size, counter, ready.clock)


def _block(ready: Ready, work: Workload, of_request: bool = False) -> Block:
    call = work.request if of_request or work.device is None else work.device
    return Block(block(call, ready.clock, BlockRule(calls=40, seconds=0.5)))
