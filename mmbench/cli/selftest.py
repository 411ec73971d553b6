"""``mmbench selftest``: is this install right?"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from mmbench.core.errors import ExitCode


class What(StrEnum):
    """What is tested."""

    SCORES = "scores"


def selftest(what: Annotated[What, typer.Argument(help="scores: against numbers of the official scorers.")]) -> int:  # noqa: ARG001  one so far
    """Check this install against golden numbers; exit code 1 when one differs.

    mmbench selftest scores
    """
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
