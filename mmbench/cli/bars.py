"""Bars on stderr."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, TextColumn

NOTE = TextColumn("{task.fields[note]}", markup=False)


def bar(*columns: ProgressColumn, transient: bool = False) -> Progress:
    """A description, a bar, how much is done of how much, and ``columns``; ``transient``: it goes when it is done."""
    shown = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn(), *columns)
    return Progress(*shown, console=Console(stderr=True), transient=transient)


class Barred:
    """Shows a bar while it is entered, where stderr is a terminal; leaves the terminal clean on exit."""

    def __init__(self, *columns: ProgressColumn) -> None:
        self._bar = bar(*columns) if sys.stderr.isatty() else None

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
