"""What each part of a request costs: preprocessing, transfers, each encoder, fusion, head, postprocessing.

The parts are found by name on the module: ``encoders[modality]``, ``fusion`` and ``heads``. Instruments disturb, so the
whole is timed without them, in turns with the calls that have them, and the sum of the parts is checked against it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import inf
from statistics import fmean
from typing import Any, TypeVar

from mmbench.core.performance import Stage, Stages
from mmbench.perf.clock import Clock

# The sum of the parts may differ from the whole by this share of it.
TOLERANCE = 0.05
_FEWEST = 3
_Call = TypeVar("_Call")
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


@dataclass
class Turns:
    """What the calls of one request took: plain ones, and instrumented ones by stage, in seconds."""

    whole: list[float] = field(default_factory=list)
    found: list[dict[str, float]] = field(default_factory=list)


def measure_stages(
    requests: Sequence[Callable[[], object]],
    module: Any,
    clock: Clock,
    batch: int,
    *,
    seconds: float = 2.0,
    least: int = 20,
    most: float = inf,
) -> Stages:
    """Each request in turn, plain and instrumented, until ``seconds`` are over and ``least`` of each were made.

    After ``most`` seconds three of each are enough. What a request costs may depend on its input, as that of a caption
    does on its length, so both sides get the same inputs.
    """
    parts, transfers = parts_of(module), _transfers(clock)
    turns = [Turns() for _ in requests]
    start, pairs = clock.now(), 0
    while _goes_on(pairs, len(requests), clock.now() - start, seconds, least, most):
        visit, place = divmod(pairs, len(requests))
        # In alternating order, so that neither side is always the one that finds the caches warm.
        for plain in (True, False) if (visit + place) % 2 else (False, True):
            if plain:
                turns[place].whole.append(_whole(requests[place], clock))
            else:
                turns[place].found.append(_split(requests[place], module, parts, clock, transfers))
        pairs += 1
    return summed([one for one in turns if one.whole], batch)


def _goes_on(pairs: int, requests: int, spent: float, seconds: float, least: int, most: float) -> bool:
    """As many of each request, but where the time is out."""
    if spent >= most:
        return pairs < _FEWEST
    return pairs < least or pairs % requests != 0 or spent < seconds


def summed(turns: Sequence[Turns], batch: int) -> Stages:
    """Means over the faster half of each request's instrumented calls, their sum against that of the plain calls.

    Seconds in, milliseconds out. The slower half holds what other processes did; means, unlike medians, add up.
    """
    quick = [_faster(one.found, key=lambda call: sum(call.values())) for one in turns]
    names = sorted({name for one in turns for call in one.found for name in call}, key=_place)
    middle = {name: fmean(fmean(call.get(name, 0.0) for call in calls) for calls in quick) for name in names}
    total = fmean(fmean(_faster(one.whole, key=float)) for one in turns)
    error = sum(middle.values()) / total - 1
    parts = tuple(Stage(name=name, ms=1000 * seconds) for name, seconds in middle.items())
    return Stages(batch=batch, parts=parts, whole_ms=1000 * total, error=error, overlap=abs(error) > TOLERANCE)


def _faster(calls: Sequence[_Call], key: Callable[[_Call], float]) -> list[_Call]:
    return sorted(calls, key=key)[: (len(calls) + 1) // 2]


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
