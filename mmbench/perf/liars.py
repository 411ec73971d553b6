"""Work that a clock does not see: beside the stream that is timed, or after the call has returned.

Such a workload looks fast because the harness looks elsewhere. What is found is told as ``hidden-work``; a workload
that keeps its answers is told as ``constant-output`` (``workload.are_equal``).
"""

from __future__ import annotations

import time
from collections.abc import Callable

# Calls in a row take longer than their marks say by this factor, and by these seconds.
_BESIDE, _BESIDE_S = 1.25, 50e-6
# Threads of libraries spin for a while after their work, up to 0.2 s; then nothing of ours should run.
CALM_S, _REST_S = 0.25, 0.1
# Of one processor, while this process should rest: little, as others may hold the processors meanwhile.
_AT_REST = 0.05


def works_beside(claimed: float, taken: float) -> bool:
    """Whether calls take longer in a row (seconds each, until the whole device is done) than between their marks."""
    return taken > _BESIDE * claimed + _BESIDE_S


def works_on(call: Callable[[], object], calm: float = CALM_S) -> bool:
    """Whether this process still computes ``calm`` seconds after a call has returned."""
    call()
    time.sleep(calm)
    begun = time.process_time()
    start = time.perf_counter()
    time.sleep(_REST_S)
    return time.process_time() - begun > _AT_REST * (time.perf_counter() - start)
