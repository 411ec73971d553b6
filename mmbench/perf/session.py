"""A process that warms up and measures blocks whenever it is told to: a side of an interleaved comparison.

Only one side may work at a time, so it does nothing unasked.
"""

from __future__ import annotations

from typing import TextIO

from mmbench.perf.memory import measure_memory
from mmbench.perf.protocol import block, collector_off, warm_up
from mmbench.perf.ready import Ready
from mmbench.perf.request import Request
from mmbench.perf.worker import ANSWER, say

WARM, BLOCK, END, READY = "warm", "block", "end", "ready"


def serve(ready: Ready, request: Request, commands: TextIO, out: TextIO) -> None:
    """Says that it is ready, then answers until ``end`` or until nobody asks any more."""
    work = ready.load(min(request.batches))
    call = work.device or work.request
    say(out, {ANSWER: READY})
    with collector_off():
        for line in commands:
            command = line.strip()
            if command == END:
                break
            if command == WARM:
                warm = warm_up(call, ready.clock, request.rules.first_warm_up, ready.changes)
                say(out, {ANSWER: warm.steady})
            else:
                say(out, {ANSWER: block(call, ready.clock, request.rules.blocks)})
    size = work.batch_size
    del work, call
    memory = measure_memory(ready.requests(size), ready.device, size, 0.0)
    say(out, {ANSWER: memory.model_dump(mode="json")})
