"""What a person sees while runs go on: a bar on a terminal, a plain line every tenth of the way elsewhere."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import typer
from rich.progress import Progress, TimeRemainingColumn

from mmbench.cli import screen
from mmbench.cli.bars import bar
from mmbench.core.errors import MmbenchError
from mmbench.reports.dry_run import mebibytes
from mmbench.reports.printable import printable
from mmbench.reports.summary import summary
from mmbench.runner import execute
from mmbench.runner.campaign import Task
from mmbench.runner.measure import Prepared
from mmbench.store import JOURNAL, StoredRun

_LINES = 10


class Reporter:
    """Tells of progress and failures on stderr, and of results on stdout; keeps both for what comes after the runs.

    ``quiet`` keeps results off stdout (``--json`` prints them in the end). ``alone`` keeps the only run's failure to be
    raised instead of told.
    """

    def __init__(self, *, quiet: bool = False, alone: bool = False) -> None:
        self._quiet = quiet
        self._alone = alone
        self._bar: Progress | None = None
        self.finished_runs: list[tuple[Prepared, StoredRun]] = []
        self.failures: list[tuple[Task, MmbenchError]] = []

    def started(self, prepared: Prepared) -> execute.Progress:
        """Begins a bar, or a series of lines."""
        title = printable(f"{prepared.suite.spec.name} {prepared.model.info.name}")
        total = len(prepared.plan.ids)
        if not sys.stderr.isatty():
            return PlainLines(title, total).reached
        self._bar = bar(TimeRemainingColumn(), transient=True)
        self._bar.start()
        task = self._bar.add_task(title, total=total)
        shown = self._bar
        return lambda done: shown.update(task, completed=done)

    def finished(self, prepared: Prepared, run: StoredRun) -> None:
        """Prints the run's result and its folder."""
        self.stop()
        self.finished_runs.append((prepared, run))
        if not self._quiet:
            size = (run.folder / JOURNAL).stat().st_size
            where = f"  {run.folder}  (journal with all predictions: {mebibytes(size)})"
            screen.write("".join(f"{line}\n" for line in (*summary(run.record), printable(where))))

    def failed(self, task: Task, error: MmbenchError) -> None:
        """Prints why a run came to nothing; the others go on."""
        self.stop()
        self.failures.append((task, error))
        if not self._alone:
            where = f"{task.suite.spec.name}, {task.locator}"
            typer.echo(f"mmbench: {printable(where)}: {printable(str(error))}", err=True)

    def stop(self) -> None:
        """Takes the bar away, so that what is printed next stands on its own lines."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class PlainLines:
    """A line on stderr when a run starts somewhere and at every tenth of it."""

    def __init__(self, title: str, total: int) -> None:
        self._title = title
        self._total = total
        self._start = time.monotonic()
        self._first: int | None = None
        self._told = -1

    def reached(self, done: int) -> None:
        """``done`` samples of the total are journalled."""
        if self._first is None:
            self._first = done
        tenth = _LINES * done // self._total
        if tenth > self._told:
            self._told = tenth
            typer.echo(f"{self._title}: {done}/{self._total} samples{self._remaining(done)}", err=True)

    def _remaining(self, done: int) -> str:
        new = done - (self._first or 0)
        elapsed = time.monotonic() - self._start
        if not new:
            return ", resumed" if done else ""
        if done == self._total:
            return f", {elapsed:.1f} s"
        return f", about {elapsed / new * (self._total - done):.0f} s left"


def run_as_json(run: StoredRun, predictions: Path | None) -> dict[str, Any]:
    """A finished run for ``--json``."""
    found = {"folder": str(run.folder), "record": run.record.model_dump(mode="json")}
    return found | ({"predictions": str(predictions)} if predictions is not None else {})


def failure_as_json(task: Task, error: MmbenchError) -> dict[str, Any]:
    """A run that came to nothing, for ``--json``."""
    return {
        "suite": str(task.suite.reference),
        "model": task.locator,
        "error": str(error),
        "exit_code": int(error.exit_code),
    }
