"""What a person sees while a study goes on: a bar with the time left on a terminal, a line a cell elsewhere."""

from __future__ import annotations

import time

import typer
from rich.progress import TaskID

from mmbench.cli.bars import NOTE, Barred
from mmbench.core.errors import MmbenchError
from mmbench.models import loop
from mmbench.reports.printable import printable
from mmbench.study.bench import Place, Plan
from mmbench.study.cells import Finished
from mmbench.study.design import WHOLE, Cell


class StudyReporter(Barred):
    """Tells of cells and trials on stderr."""

    def __init__(self) -> None:
        super().__init__(NOTE)
        self._task: TaskID | None = None
        self._count = self._done = 0
        self._stage, self._begun = "", 0.0

    def planned(self, place: Place, plan: Plan) -> None:
        """The work on a suite begins."""
        self._count, self._done = plan.cells + plan.trials, plan.done
        title = printable(f"{place}, {place.track}")
        resumed = f", {plan.done} of them finished before" if plan.done else ""
        trials = f", {plan.trials} trials of tuning first" if plan.trials else ""
        typer.echo(f"{title}: {plan.cells} cells{resumed}{trials}", err=True)
        if self._bar is not None:
            name = printable(place.suite.partition("@")[0])
            self._task = self._bar.add_task(name, total=self._count, completed=plan.done, note="")

    def expected(self, seconds: float) -> None:
        """About so long it takes in all."""
        typer.echo(f"about {duration(seconds)} in all", err=True)

    def trained(self, progress: loop.Progress) -> None:
        """A step of some training was done: the bar moves; of encoders, which take long, each validation is told."""
        if progress.stage.startswith("encoder"):
            self._encoder(progress)
        elif self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=self._done + progress.step / progress.steps)

    def _encoder(self, progress: loop.Progress) -> None:
        if progress.stage != self._stage:
            self._stage, self._begun = progress.stage, time.monotonic()
        told = f"{progress.stage}: step {progress.step}/{progress.steps}"
        self._note(told)
        if progress.score is not None:
            pace = (time.monotonic() - self._begun) / progress.step
            note = _left(pace * (progress.steps - progress.step))
            self._tell(f"{told}, validation {progress.score:.4f}; {note}")

    def validated(self, cell: Cell, trial: int, score: float, left: float | None) -> None:
        """A trial of tuning is done."""
        self._advance(f"{cell.strategy.name}, trial {trial + 1}", f"validation {score:.4f}", left)

    def finished(self, cell: Cell, found: Finished, left: float | None) -> None:
        """A cell is done."""
        told = f"validation {found.facts.validation:.4f}, {found.run.record.cost.seconds:.1f} s"
        self._advance(_name(cell), told, left)

    def failed(self, cell: Cell, error: MmbenchError, trial: int | None = None) -> None:
        """A cell or a trial came to nothing; the others go on."""
        self._done += 1
        what = _name(cell) if trial is None else f"{cell.strategy.name}, trial {trial + 1}"
        typer.echo(f"mmbench: {printable(f'{what}: {error}')}", err=True)

    def _advance(self, name: str, told: str, left: float | None) -> None:
        self._done += 1
        note = _left(left) if self._done < self._count else "the last one"
        self._note(f"{note}; {name}", self._done)
        self._tell(f"{self._done}/{self._count} {name}: {told}; {note}")

    def _note(self, text: str, done: int | None = None) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=done, note=printable(text))

    def _tell(self, text: str) -> None:
        if self._bar is None:
            typer.echo(printable(text), err=True)


def duration(seconds: float) -> str:
    """``42 s``, ``9 min``, ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _left(seconds: float | None) -> str:
    return "time left not known" if seconds is None else f"about {duration(seconds)} left"


def _name(cell: Cell) -> str:
    if cell.origin:
        return f"{cell.strategy.name}, seed {cell.seed}, {cell.share} labels"
    return f"{cell.strategy.name}, seed {cell.seed}" + (f", {cell.share} %" if cell.share < WHOLE else "")
