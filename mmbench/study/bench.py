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

    def seconds(self, strategy: Strategy) -> float:
        """About how long the training of one of its cells takes."""

    def encoder_seconds(self) -> list[float]:
        """The same for each encoder that is still to be trained."""

    def validated(self, cell: Cell, settings: Settings, folder: Path) -> float:
        """Trains, and gives the best validation score; the test split is not read. Unfinished work is in ``folder``."""

    def measured(
        self, cell: Cell, settings: Settings, folder: Path, earlier: Sequence[Finished]
    ) -> tuple[RunRecord, Rows]:
        """Trains, keeps weights in ``folder``, and measures once on the test split.

        ``earlier`` are the finished cells, those of the same seed and share among them: what an ensemble is made of.
        """


class Watcher(Protocol):
    """Is told what happens, as it happens."""

    def planned(self, place: Place, count: int, done: int) -> None:
        """So many cells there are, of which so many are finished already."""

    def validated(self, cell: Cell, trial: int, score: float) -> None:
        """A trial of tuning is done."""

    def finished(self, cell: Cell, found: Finished) -> None:
        """A cell was trained and measured now."""

    def failed(self, cell: Cell, error: MmbenchError) -> None:
        """A cell could not be done; the study goes on."""
