"""``mmbench selftest``: is this install right?"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from mmbench.core.errors import ExitCode


class What(StrEnum):
    """What is tested."""

    SCORES = "scores"
    TIMING = "timing"


_HELP = "scores: against numbers of the official scorers. timing: clocks, memory and ratios on this machine."


def selftest(what: Annotated[What, typer.Argument(help=_HELP)]) -> int:
    """Check this install against what is known; exit code 1 when something differs.

    mmbench selftest scores
    """
    return _scores() if what is What.SCORES else _timing()


def _scores() -> ExitCode:
    from mmbench.selftest.scores import check_scores

    checks = list(check_scores())
    for check in checks:
        mark = "ok   " if check.right else "WRONG"
        found = "undefined" if check.found is None else f"{check.found:.9f}"
        typer.echo(f"{mark} {check.suite:14} {check.metric:20} {found}  (official {check.expected:.9f})")
    wrong = sum(not check.right for check in checks)
    if wrong:
        typer.echo(f"{wrong} of {len(checks)} numbers differ from the official scorers; reinstall mmbench.", err=True)
        return ExitCode.REGRESSION
    typer.echo(f"All {len(checks)} numbers are those of the official scorers.")
    return ExitCode.OK


def _timing() -> ExitCode:
    from mmbench.perf.selftest import check_timing

    marks = {True: "ok   ", False: "WRONG", None: "skip "}
    checks = []
    for check in check_timing():
        checks.append(check)
        typer.echo(f"{marks[check.right]} {check.name:17} {check.found}  (expected {check.expected})")
    wrong = sum(check.right is False for check in checks)
    if wrong:
        typer.echo(f"{wrong} of {len(checks)} checks failed; do not trust times of this machine now.", err=True)
        return ExitCode.REGRESSION
    skipped = sum(check.right is None for check in checks)
    typer.echo(f"{len(checks) - skipped} checks hold, {skipped} could not be made here.")
    return ExitCode.OK
