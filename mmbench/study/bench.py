"""What a study needs of a suite on one track, and of those who watch it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mmbench.core.errors import MmbenchError
from mmbench.core.record import RunRecord
from mmbench.metrics.rows import Rows
from mmbench.study.cells import Finished
from mmbench.study.design import Cell, Strategy, Track
from mmbench.study.forecast import Expected
from mmbench.study.settings import Settings
from mmbench.study.sizing import Size


@dataclass(frozen=True, slots=True)
class Place:
    """A suite (the full reference) on a track, and its ``modalities`` in order.

    ``origin`` is the suite that all but the heads was trained on, "" where that is the suite itself; ``labelled`` and
    ``averaged`` as in ``design.strategies``.
    """

    suite: str
    track: Track
    modalities: tuple[str, ...]
    labelled: bool
    averaged: bool
    origin: str = ""

    def __str__(self) -> str:
        return f"{self.suite} after {self.origin}" if self.origin else self.suite


class Bench(Protocol):
    """Trains and measures the cells of a place."""

    @property
    def place(self) -> Place:
        """What is studied there."""

    def refusal(self, strategy: Strategy) -> str:
        """Why the strategy does not serve this suite; "" if it does."""

    def size(self, strategy: Strategy, settings: Settings) -> Size:
        """How large its fusion is, and how large it would be by itself."""

    def key(self, cell: Cell, settings: Settings) -> str:
        """Digest of all that the cell's bytes depend on."""

    def encoders(self) -> int:
        """How many are still to be trained."""

    def expected(self, lines: Sequence[Strategy], always: bool = False) -> Expected:
        """About how long cells of these strategies take, and what they share.

        Empty where finding out would take longer than it is worth, unless it is ``always`` wanted.
        """

    def prepare(self) -> None:
        """Does once what all cells share; raises UsageError and SampleError as the cells would."""

    def validated(self, cell: Cell, settings: Settings, folder: Path) -> float:
        """Trains, and gives the best validation score; the test split is not read. Unfinished work is in ``folder``."""

    def measured(
        self, cell: Cell, settings: Settings, folder: Path, earlier: Sequence[Finished]
    ) -> tuple[RunRecord, Rows]:
        """Trains, keeps weights in ``folder``, and measures once on the test split.

        ``earlier`` are the finished cells, those of the same seed and share among them: what an ensemble is made of.
        """


@dataclass(frozen=True, slots=True)
class Plan:
    """``cells`` there are, ``done`` of them finished before; ``trials`` of tuning are to be done first."""

    cells: int
    done: int
    trials: int


class Watcher(Protocol):
    """Is told what happens, as it happens."""

    def planned(self, place: Place, plan: Plan) -> None:
        """The work begins."""

    def expected(self, seconds: float) -> None:
        """About so long it takes in all."""

    def validated(self, cell: Cell, trial: int, score: float, left: float | None) -> None:
        """A trial of tuning is done; ``left`` is about how many seconds are left, None if that is not known."""

    def finished(self, cell: Cell, found: Finished, left: float | None) -> None:
        """A cell was trained and measured now."""

    def failed(self, cell: Cell, error: MmbenchError, trial: int | None = None) -> None:
        """A cell, or a trial of tuning, could not be done; the study goes on."""
