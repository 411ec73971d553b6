"""What a person sees while a study goes on: a bar with the time left on a terminal, a line a cell elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from mmbench.core.errors import MmbenchError
from mmbench.models import loop
from mmbench.reports.printable import printable
from mmbench.study.bench import Place
from mmbench.study.cells import Finished
from mmbench.study.design import WHOLE, Cell


class StudyReporter:
    """Tells of cells on stderr; leaves the terminal clean on exit."""

    def __init__(self) -> None:
        self._bar = _bar() if sys.stderr.isatty() else None
        self._task: TaskID | None = None
        self._count = self._done = self._new = 0
        self._start = time.monotonic()

    def __enter__(self) -> StudyReporter:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def planned(self, place: Place, count: int, done: int) -> None:
        """The cells of a suite begin."""
        self._count, self._done, self._new, self._start = count, done, 0, time.monotonic()
        title = printable(f"{place.suite}, {place.track}")
        if self._bar is not None:
            self._task = self._bar.add_task(title, total=count, completed=done, note="")
        resumed = f", {done} of them finished before" if done else ""
        self._tell(f"{title}: {count} cells{resumed}")

    def trained(self, progress: loop.Progress) -> None:
        """A step of some training was done; only those of encoders take so long that they are told."""
        if progress.score is not None and progress.stage.startswith("encoder"):
            self._tell(f"{progress.stage}: step {progress.step}/{progress.steps}, validation {progress.score:.4f}")

    def validated(self, cell: Cell, trial: int, score: float) -> None:
        """A trial of tuning is done."""
        self._tell(f"{cell.strategy.name}: trial {trial + 1}, validation {score:.4f}")

    def finished(self, cell: Cell, found: Finished) -> None:
        """A cell is done."""
        self._done, self._new = self._done + 1, self._new + 1
        left = (time.monotonic() - self._start) / self._new * (self._count - self._done)
        name = f"{cell.strategy.name}, seed {cell.seed}" + (f", {cell.share} %" if cell.share < WHOLE else "")
        note = f"about {_duration(left)} left" if self._done < self._count else "the last one"
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=self._done, note=printable(f"{name}; {note}"))
        self._tell(
            f"{self._done}/{self._count} {name}: validation {found.facts.validation:.4f}, "
            f"{found.run.record.cost.seconds:.1f} s; {note}"
        )

    def failed(self, cell: Cell, error: MmbenchError) -> None:
        """A cell came to nothing; the others go on."""
        self._done += 1
        typer.echo(f"mmbench: {printable(f'{cell.strategy.name}, seed {cell.seed}: {error}')}", err=True)

    def _tell(self, text: str) -> None:
        if self._bar is None:
            typer.echo(printable(text), err=True)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _bar() -> Progress:
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}", markup=False),
    )
    return Progress(*columns, console=Console(stderr=True))
