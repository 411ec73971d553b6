"""What a study is of: each suite by itself, all pairs of suites, or what one suite teaches about others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mmbench.core.errors import UsageError
from mmbench.models.loop import Report
from mmbench.study.bench import Watcher
from mmbench.study.design import Design
from mmbench.study.execute import Done, Work, run
from mmbench.study.opening import Opening, benches, held_out, transfer
from mmbench.study.transfer import FEW


@dataclass(frozen=True, slots=True)
class Studied:
    """A finished bench, and the design that it had. ``held_out``: nothing but heads was trained for what it tests."""

    done: Done
    design: Design
    held_out: bool = False


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a study is done, and who is told."""

    folder: Path
    watcher: Watcher
    report: Report


def single(design: Design, opening: Opening, desk: Desk) -> Iterator[Studied]:
    """Each suite on each track."""
    for bench in benches(design, opening, desk.report):
        yield Studied(run(Work(bench, design, desk.folder), desk.watcher), design)


def cross(design: Design, opening: Opening, desk: Desk) -> Iterator[Studied]:
    """Each suite, then every other suite after it, with heads learnt from 16, 64 and 256 labels.

    Raises UsageError with fewer than two suites.
    """
    if len(design.suites) < 2:
        raise UsageError("--mode cross goes from suite to suite; give --suite twice or more.")
    for origin in design.suites:
        yield from _after(origin, [text for text in design.suites if text != origin], design, opening, desk)


def general(design: Design, opening: Opening, desk: Desk) -> Iterator[Studied]:
    """The first suite, the others after it, and the first suite with each of its generality splits left out.

    Raises UsageError when nothing is there to be held out.
    """
    origin, *others = design.suites
    splits = held_out(origin, opening)
    if not others and not splits:
        raise UsageError(f"{origin} has no generality splits; name held-out suites with further --suite.")
    yield from _after(origin, others, design, opening, desk)
    for text in splits:
        for studied in single(_of(design, text), opening, desk):
            yield replace(studied, held_out=True)


def _after(origin: str, others: list[str], design: Design, opening: Opening, desk: Desk) -> Iterator[Studied]:
    (bench,) = benches(_of(design, origin), opening, desk.report)
    done = run(Work(bench, _of(design, origin), desk.folder), desk.watcher)
    yield Studied(done, _of(design, origin))
    few = replace(design, shares=FEW)
    for text in others:
        made = run(Work(transfer(bench, done, text, opening), few, desk.folder), desk.watcher)
        yield Studied(made, few, held_out=True)


def _of(design: Design, text: str) -> Design:
    return replace(design, suites=(text,))
