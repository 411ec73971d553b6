"""What a person sees while a model is trained: a bar on a terminal, a line at every validation elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.progress import Progress, TaskID, TimeRemainingColumn

from mmbench.cli.bars import NOTE, Barred
from mmbench.models import loop
from mmbench.reports.event_files import EventFile
from mmbench.reports.printable import printable


class TrainingReporter(Barred):
    """Tells of the steps on stderr."""

    def __init__(self) -> None:
        super().__init__(TimeRemainingColumn(), NOTE)
        self._start = time.monotonic()
        self._tasks: dict[str, TaskID] = {}

    def told(self, progress: loop.Progress) -> None:
        """A step was done."""
        if self._bar is not None:
            self._move(self._bar, progress)
        elif progress.score is not None:
            typer.echo(f"{_line(progress)}, {time.monotonic() - self._start:.0f} s", err=True)

    def _move(self, bar: Progress, progress: loop.Progress) -> None:
        task = self._tasks.get(progress.stage)
        if task is None:
            task = self._tasks[progress.stage] = bar.add_task(printable(progress.stage), total=progress.steps, note="")
        bar.update(task, completed=progress.step)
        if progress.score is not None:
            bar.update(task, note=f"loss {progress.loss:.3f}, validation {progress.score:.3f}")


class Curves:
    """Writes loss and validation of each stage as curves for TensorBoard; without a file nothing."""

    def __init__(self, file: EventFile | None) -> None:
        self._file = file

    def told(self, progress: loop.Progress) -> None:
        """A step was done."""
        if self._file is None:
            return
        self._file.scalar(f"{progress.stage}/loss", progress.loss, progress.step)
        if progress.score is not None:
            self._file.scalar(f"{progress.stage}/validation", progress.score, progress.step)


@contextmanager
def curves_in(folder: Path | None) -> Iterator[Curves]:
    """Curves in an event file in ``folder``; raises MissingExtra, and UsageError if it is not writable."""
    if folder is None:
        yield Curves(None)
        return
    with EventFile(folder) as file:
        yield Curves(file)


def both(first: loop.Report, second: loop.Report) -> loop.Report:
    """Tells one after the other."""

    def told(progress: loop.Progress) -> None:
        first(progress)
        second(progress)

    return told


def _line(progress: loop.Progress) -> str:
    return (
        f"{printable(progress.stage)}: step {progress.step}/{progress.steps}, loss {progress.loss:.4f}, "
        f"validation {progress.score:.4f}"
    )
