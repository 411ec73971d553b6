"""Sessions of two sides measured in turns: what differs between them, free of drift and of process effects.

Each session starts one fresh process per side, and each process waits for its turn. The order within pairs is AB BA BA
AB and its mirror, so that a linear drift cancels; which comes first is drawn from the seed. A session gives one number,
as any number of pairs of one pair of processes says nothing about the next pair of processes.
"""

from __future__ import annotations

import random
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Any

import numpy as np

from mmbench.perf.processes import Measuring, Side
from mmbench.perf.request import Request, Rules, Subject
from mmbench.perf.session import BLOCK, END, WARM

# Which side goes first in each of four pairs; repeated, and mirrored by the draw.
_BALANCED = (0, 1, 1, 0)
PAIRS = 4


@dataclass(frozen=True, slots=True)
class Contestant:
    """One side: what is called, by whose code."""

    subject: Subject
    side: Side = field(default_factory=Side)


@dataclass(frozen=True, slots=True)
class Session:
    """The blocks of base and head, seconds per call in the order of the pairs, and the peak memory of each, MiB."""

    base: tuple[tuple[float, ...], ...]
    head: tuple[tuple[float, ...], ...]
    memory: tuple[float, float]
    steady: bool

    @property
    def difference(self) -> float:
        """D: the mean over pairs of ln(median head) - ln(median base)."""
        return fmean(
            float(np.log(median(head)) - np.log(median(base))) for base, head in zip(self.base, self.head, strict=True)
        )

    def tail(self, p: float) -> float:
        """The difference of the logs of a percentile over all calls of each side."""
        ends = [float(np.log(np.quantile(np.concatenate(side), p))) for side in (self.base, self.head)]
        return ends[1] - ends[0]


def order(pairs: int, seed: int, session: int) -> list[int]:
    """0 where the base goes first, 1 where the head does; balanced over each four pairs."""
    flip = random.Random(f"{seed}/{session}").random() < 0.5  # noqa: S311  no secret
    return [side ^ flip for side in (_BALANCED[index % len(_BALANCED)] for index in range(pairs))]


def run_session(
    sides: tuple[Contestant, Contestant],
    rules: Rules,
    *,
    batch: int = 1,
    threads: int | None = None,
    pairs: int = PAIRS,
    seed: int = 0,
    session: int = 0,
) -> Session:
    """Two fresh processes, loaded side by side, then one at a time; raises what a process reports."""
    first = order(pairs, seed, session)
    with ExitStack() as stack:
        both = [
            stack.enter_context(Measuring(_asked(side.subject, rules, batch), threads, side.side)) for side in sides
        ]
        for process in both:
            process.hear()
        steady = [_told(both[side], WARM) for side in (first[0], 1 - first[0])]
        blocks: tuple[list[tuple[float, ...]], ...] = ([], [])
        for begin in first:
            for side in (begin, 1 - begin):
                blocks[side].append(tuple(_told(both[side], BLOCK)))
        ends = [_told(process, END) for process in both]
    held = [end["rss_mib"] if end["allocated_mib"] is None else end["allocated_mib"] for end in ends]
    return Session(tuple(blocks[0]), tuple(blocks[1]), (held[0], held[1]), all(steady))


def _asked(subject: Subject, rules: Rules, batch: int) -> Request:
    return Request(subject=subject, kind="session", batches=(batch,), rules=rules)


def _told(process: Measuring, command: str) -> Any:
    process.tell(command)
    return process.hear()
