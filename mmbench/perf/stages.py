"""What each part of a request costs: preprocessing, transfers, each encoder, fusion, head, postprocessing.

The parts are found by name on the module: ``encoders[modality]``, ``fusion`` and ``heads``. Instruments disturb, so the
whole is timed without them, in turns with the calls that have them, and the sum of the parts is checked against it.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from typing import Any

from mmbench.core.performance import Stage, Stages
from mmbench.perf.clock import Clock

# The sum of the parts may differ from the whole by this share of it.
TOLERANCE = 0.05
_FEWEST = 3
FORWARD, GLUE = "forward", "glue"
PREPROCESS, POSTPROCESS, H2D, D2H = "preprocess", "postprocess", "h2d", "d2h"
_ORDER = (PREPROCESS, H2D, "encoder", "fusion", "head", GLUE, D2H, POSTPROCESS)


@dataclass
class Marks:
    """Named pairs of marks of one call; ``forwards`` is the number of forward passes under way."""

    clock: Clock
    pairs: list[tuple[str, Any, Any]] = field(default_factory=list)
    forwards: int = 0

    def timed(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call, marked."""

        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.forwards += name == FORWARD
            start = self.clock.mark()
            out = call(*args, **kwargs)
            self.pairs.append((name, start, self.clock.mark()))
            self.forwards -= name == FORWARD
            return out

        return wrapped


def parts_of(module: Any) -> dict[str, Any]:
    """The named parts of a fusion model: ``encoder:rgb``, ``fusion``, ``head``; empty for any other module."""
    encoders, fusion, heads = (_part(module, name) for name in ("encoders", "fusion", "heads"))
    found: dict[str, Any] = {}
    if hasattr(encoders, "items"):
        found |= {f"encoder:{name}": part for name, part in encoders.items()}
    if fusion is not None and callable(fusion):
        found["fusion"] = fusion
    if hasattr(heads, "items"):
        found |= {f"head:{name}" if len(heads) > 1 else "head": part for name, part in heads.items()}
    return found


def _part(module: Any, name: str) -> Any:
    return getattr(module, name, None)


@contextmanager
def instrumented(module: Any, marks: Marks, parts: Mapping[str, Any]) -> Iterator[None]:
    """While it lasts, calls of the module and of its parts leave marks; what they do is the same."""
    changed = []
    try:
        for name, part in {**parts, FORWARD: module}.items():
            # A fusion is called by ``fuse``, which its ``forward`` calls too.
            method = "fuse" if hasattr(part, "fuse") else "forward"
            setattr(part, method, marks.timed(name, getattr(part, method)))
            changed.append((part, method))
        yield
    finally:
        for part, method in changed:
            delattr(part, method)


def measure_stages(
    request: Callable[[], object],
    module: Any,
    clock: Clock,
    batch: int,
    *,
    seconds: float = 2.0,
    least: int = 20,
    most: float = inf,
) -> Stages:
    """A plain and an instrumented call in turns until ``seconds`` are over and ``least`` of each were made.

    After ``most`` seconds three of each are enough.
    """
    whole: list[float] = []
    found: list[dict[str, float]] = []
    parts = parts_of(module)
    transfers = _transfers(clock)
    start = clock.now()
    while _goes_on(len(whole), clock.now() - start, seconds, least, most):
        # In alternating order, so that neither side is always the one that finds the caches warm.
        for plain in (True, False) if len(whole) % 2 else (False, True):
            if plain:
                whole.append(_whole(request, clock))
            else:
                found.append(_split(request, module, parts, clock, transfers))
    return summed(found, whole, batch)


def _goes_on(calls: int, spent: float, seconds: float, least: int, most: float) -> bool:
    return calls < (_FEWEST if spent >= most else least) or spent < min(seconds, most)


def summed(found: list[dict[str, float]], whole: list[float], batch: int) -> Stages:
    """Means over the faster half of the instrumented calls, their sum against that of the plain calls.

    Seconds in, milliseconds out. The slower half holds what other processes did; means, unlike medians, add up.
    """
    quick = sorted(found, key=lambda one: sum(one.values()))[: (len(found) + 1) // 2]
    names = sorted({name for one in found for name in one}, key=_place)
    middle = {name: statistics.fmean(one.get(name, 0.0) for one in quick) for name in names}
    total = statistics.fmean(sorted(whole)[: (len(whole) + 1) // 2])
    error = sum(middle.values()) / total - 1
    parts = tuple(Stage(name=name, ms=1000 * seconds) for name, seconds in middle.items())
    return Stages(batch=batch, parts=parts, whole_ms=1000 * total, error=error, overlap=abs(error) > TOLERANCE)


def _whole(request: Callable[[], object], clock: Clock) -> float:
    clock.synchronise()
    start = clock.mark()
    request()
    end = clock.mark()
    clock.synchronise()
    return clock.seconds(start, end)


def _split(
    request: Callable[[], object], module: Any, parts: Mapping[str, Any], clock: Clock, transfers: bool
) -> dict[str, float]:
    marks = Marks(clock)
    clock.synchronise()
    with instrumented(module, marks, parts), _watching(marks, transfers):
        start = clock.mark()
        request()
        end = clock.mark()
    clock.synchronise()
    return split(marks, start, end)


def split(marks: Marks, start: Any, end: Any) -> dict[str, float]:
    """Seconds of each stage of one call. The forward pass less its parts is ``glue``; around it lies the rest."""
    seconds = marks.clock.seconds
    spent: dict[str, float] = {}
    for name, first, last in marks.pairs:
        spent[name] = spent.get(name, 0.0) + seconds(first, last)
    forwards = [(first, last) for name, first, last in marks.pairs if name == FORWARD]
    if not forwards:
        return {PREPROCESS: seconds(start, end)}
    inside = sum(value for name, value in spent.items() if name.startswith(("encoder:", "fusion", "head")))
    before, after = seconds(start, forwards[0][0]), seconds(forwards[-1][1], end)
    between = seconds(forwards[0][0], forwards[-1][1]) - spent[FORWARD]
    stages = {name: value for name, value in spent.items() if name != FORWARD}
    stages[GLUE] = spent[FORWARD] - inside + between
    stages[PREPROCESS] = before - spent.get(H2D, 0.0)
    stages[POSTPROCESS] = after - spent.get(D2H, 0.0)
    return stages


def _transfers(clock: Clock) -> bool:
    """Whether copies between host and device are stages: on a CPU there are none."""
    return type(clock).__name__ == "CudaClock"


@contextmanager
def _watching(marks: Marks, transfers: bool) -> Iterator[None]:
    if not transfers:
        yield
        return
    from mmbench.perf.transfers import TransferWatch

    with TransferWatch(marks):
        yield


def _place(name: str) -> tuple[int, str]:
    """In the order of a request."""
    kind = name.partition(":")[0]
    return _ORDER.index(kind), name
