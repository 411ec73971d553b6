"""What one process measures at each batch size: warm-up, blocks of device time and of requests, throughput."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from mmbench.core.performance import SweepEnd
from mmbench.perf.clock import Clock
from mmbench.perf.liars import works_beside, works_on
from mmbench.perf.protocol import Block, WarmUpRule, blocks, typical, warm_up
from mmbench.perf.ready import Ready
from mmbench.perf.request import BatchResult, Replicate, Request, Rules, Sweep, Timed
from mmbench.perf.workload import Workload

# Nothing ended the sweep before its last batch size.
SWEPT: SweepEnd = ""


def replicate(ready: Ready, request: Request) -> Replicate:
    """All batch sizes in this process, the smallest first; only the first one warms up from cold."""
    rules, clock = request.rules, ready.clock
    found: list[BatchResult] = []
    moments, ended = [clock.now()], SWEPT
    for index, batch in enumerate(sorted(request.batches)):
        ended = sweep_end(found, moments, request.sweep)
        if ended:
            break
        rule = rules.warm_up if index else rules.first_warm_up
        try:
            found.append(_measured(ready, ready.load(batch), rules, rule, is_first=not index))
        except Exception as error:
            if not found or not is_out_of_memory(error):
                raise
            ended = "memory"
            break
        moments.append(clock.now())
    return Replicate(cold=ready.cold, batches=tuple(found), ended=ended)


def sweep_end(found: Sequence[BatchResult], moments: Sequence[float], sweep: Sweep) -> SweepEnd:
    """Why the sweep goes no further, if it does not; ``moments``: the start, and the end of each size, seconds.

    The next size has as many calls of about twice the length, so that it takes at most twice as long.
    """
    rates = [one.offline for one in found[-3:]]
    if sweep.gain is not None and len(rates) == 3 and all(b < (1 + sweep.gain) * a for a, b in pairwise(rates)):
        return "gain"
    if sweep.most_s is not None and found:
        expected = 2 * (moments[-1] - moments[-2])
        return "time" if moments[-1] - moments[0] + expected > sweep.most_s else SWEPT
    return SWEPT


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error, or what caused it, says that memory is short: the sweep then ends at the last batch size."""
    causes = [cause for cause in (error, error.__cause__, error.__context__) if cause is not None]
    return any(isinstance(cause, MemoryError) or type(cause).__name__ == "OutOfMemoryError" for cause in causes)


def _measured(ready: Ready, work: Workload, rules: Rules, rule: WarmUpRule, *, is_first: bool) -> BatchResult:
    clock, timed = ready.clock, work.device or work.request
    warm = warm_up(timed, clock, rule, ready.changes)
    device, bound, free = None, None, None
    if work.device is not None:
        held = _hold(ready, work.device, rules)
        found = blocks(work.device, clock, rules.blocks, ready.changes, held)
        device = as_timed(found)
        if held:
            free = typical(blocks(work.device, clock, rules.blocks, ready.changes))
            # The share of the time without a hold that the device waits for the host.
            bound = max(0.0, 1 - typical(found) / free)
    request = as_timed(blocks(work.request, clock, rules.blocks, ready.changes))
    rate = offline(timed, clock, work.batch_size, rules.offline_s)
    beside = free is not None and works_beside(free, work.batch_size / rate)
    return BatchResult(
        batch=work.batch_size,
        warm_up_calls=warm.calls,
        warm_up_s=warm.seconds,
        steady=warm.steady,
        device=device,
        request=request,
        offline=rate,
        constant=work.constant,
        hidden=beside or (is_first and works_on(timed)),
        host_bound=bound,
    )


def offline(call: Callable[[], object], clock: Clock, batch: int, seconds: float) -> float:
    """Items per second of calls one after the other, with one synchronisation at the end."""
    clock.synchronise()
    start, calls = clock.now(), 0
    while not calls or clock.now() - start < seconds:
        call()
        calls += 1
    clock.synchronise()
    return batch * calls / (clock.now() - start)


def as_timed(found: list[Block]) -> Timed:
    """For the answer."""
    return Timed(blocks=tuple(one.times for one in found), invalid=tuple(one.invalid for one in found))


def _hold(ready: Ready, call: Callable[[], object], rules: Rules) -> float:
    """Seconds for which a GPU is held while a block is queued: what queuing the block takes the host, and half more."""
    if not ready.device.startswith("cuda"):
        return 0.0
    start = ready.clock.now()
    for _ in range(rules.blocks.calls):
        call()
    queued = ready.clock.now() - start
    ready.clock.synchronise()
    return 1.5 * queued
