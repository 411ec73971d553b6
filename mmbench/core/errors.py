"""The one tree of errors, and the exit codes that are part of the interface.

    MmbenchError
    ├── UsageError           2    a flag, a suite file or a configuration is wrong
    │   ├── UnknownName      2    a name that is not registered; suggests the nearest
    │   └── MissingExtra     2    an optional dependency is not installed
    ├── NotComparable        4    unequal comparability keys
    ├── NothingMeasured      4    there is no sample to score, or no record matched
    ├── LoadError            7    a model or a data set could not be loaded
    ├── SampleError          6    one sample is broken: counted, recorded, never scored
    └── Interrupted        130    the user stopped the run; it can be resumed

Each message is one sentence that says what was expected, what was found and what to do.
Anything outside this tree is a bug of ours and ends with exit code 70.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import IntEnum
from typing import ClassVar


class ExitCode(IntEnum):
    """Process exit codes (public interface, tested)."""

    OK = 0
    REGRESSION = 1
    USAGE = 2
    INCONCLUSIVE = 3
    NOT_COMPARABLE = 4
    UNFIT = 5
    SAMPLES_FAILED = 6
    LOAD_FAILED = 7
    INTERNAL = 70
    INTERRUPTED = 130


# Which code wins when several hold; what is not listed (interrupted) ends the process at once.
_PRECEDENCE = (
    ExitCode.INTERRUPTED,
    ExitCode.INTERNAL,
    ExitCode.USAGE,
    ExitCode.LOAD_FAILED,
    ExitCode.SAMPLES_FAILED,
    ExitCode.UNFIT,
    ExitCode.NOT_COMPARABLE,
    ExitCode.REGRESSION,
    ExitCode.INCONCLUSIVE,
    ExitCode.OK,
)


def worst(codes: Iterable[ExitCode]) -> ExitCode:
    """The code a process ends with when several hold; ``OK`` when there is none."""
    return min(codes, key=_PRECEDENCE.index, default=ExitCode.OK)


class MmbenchError(Exception):
    """A failure that is explained to the user in one sentence."""

    exit_code: ClassVar[ExitCode] = ExitCode.INTERNAL


class UsageError(MmbenchError):
    """A flag, a suite file or a configuration is wrong."""

    exit_code = ExitCode.USAGE


class UnknownName(UsageError):
    """A name that is not registered; the message lists the nearest ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        known = sorted(known)
        near = difflib.get_close_matches(name, known, n=3, cutoff=0.5)
        hint = (
            f"did you mean {' or '.join(repr(n) for n in near)}?" if near else f"known: {', '.join(known) or 'none'}."
        )
        super().__init__(f"There is no {kind} named {name!r}; {hint}")


class MissingExtra(UsageError):
    """An optional dependency is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs mmbench[{extra}]; install it with: pip install 'mmbench[{extra}]'.")


class NotComparable(MmbenchError):
    """Numbers with unequal comparability keys were to be put side by side."""

    exit_code = ExitCode.NOT_COMPARABLE


class NothingMeasured(MmbenchError):
    """There is no sample to score, or no record matched: never exit code 0."""

    exit_code = ExitCode.NOT_COMPARABLE


class LoadError(MmbenchError):
    """A model or a data set could not be loaded."""

    exit_code = ExitCode.LOAD_FAILED


class SampleError(MmbenchError):
    """One sample is broken; the run goes on, counts it and ends as ``partial``; as ``failed`` when all are."""

    exit_code = ExitCode.SAMPLES_FAILED


class Interrupted(MmbenchError):
    """The user stopped the run; the same command resumes it."""

    exit_code = ExitCode.INTERRUPTED
