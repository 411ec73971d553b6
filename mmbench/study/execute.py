"""Does the cells of a study in order; what is on disk is not done again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from mmbench.core.errors import Interrupted, LoadError, MmbenchError, UsageError
from mmbench.study import cells
from mmbench.study.bench import Bench, Place, Watcher
from mmbench.study.cells import Finished
from mmbench.study.design import BASELINE, Cell, Design, Strategy, strategies
from mmbench.study.settings import Settings, trials
from mmbench.study.sizing import Size

Clock = Callable[[], datetime]
# Trials of tuning are trainings of their own: their seed is none of the study's.
_TUNING_SEED = 1_000_000


@dataclass(frozen=True, slots=True)
class Tuned:
    """The settings that validated best, and the scores of all trials; defaults and no scores without tuning."""

    settings: Settings = field(default_factory=Settings)
    scores: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Failed:
    """A cell that could not be done, and why."""

    cell: Cell
    error: MmbenchError


@dataclass(frozen=True, slots=True)
class Done:
    """What a bench came to.

    ``refused`` says which strategies do not serve the suite, and why; ``finished`` are the cells in the order of the
    design, ``tuned`` is by strategy, ``sizes`` by strategy without the controls.
    """

    place: Place
    strategies: tuple[Strategy, ...]
    refused: dict[str, str]
    finished: tuple[Finished, ...]
    failed: tuple[Failed, ...]
    tuned: dict[str, Tuned]
    sizes: dict[str, Size]


@dataclass(frozen=True, slots=True)
class Work:
    """A design on a bench, with the folder that finished cells are kept in."""

    bench: Bench
    design: Design
    folder: Path

    def strategies(self) -> tuple[tuple[Strategy, ...], dict[str, str]]:
        """Strategies and controls, and why some are left out.

        Raises UsageError when a strategy that the user named does not serve the suite.
        """
        place = self.bench.place
        lines = strategies(
            self.design,
            place.modalities,
            labelled=place.labelled,
            averaged=place.averaged,
            transferred=bool(place.origin),
        )
        refused = {line.name: reason for line in lines if (reason := self.bench.refusal(line))}
        alone = [line.name for line in lines if line.control == "unimodal" and line.name in refused]
        if alone:
            refused |= {line.name: f"there is no {alone[0]}." for line in lines if line.control == "ensemble"}
        for line in lines:
            if line.name in refused and not line.control and (not self.design.every or line.name == BASELINE):
                raise UsageError(refused[line.name])
        return tuple(line for line in lines if line.name not in refused), refused

    def tuned(self, strategy: Strategy, watcher: Watcher) -> Tuned:
        """The best of the design's trials on the validation split, the first of them where several are."""
        if self.design.trials == 0 or strategy.control == "ensemble":
            return Tuned()
        cell = Cell(self.bench.place.suite, self.bench.place.track, strategy, _TUNING_SEED, self.design.whole)
        tried = list(trials(self.design.trials))
        scores = [self._tried(cell, settings, index, watcher) for index, settings in enumerate(tried)]
        return Tuned(tried[scores.index(max(scores))], tuple(scores))

    def _tried(self, cell: Cell, settings: Settings, index: int, watcher: Watcher) -> float:
        file = self.folder / f"trial-{self.bench.key(cell, settings)}.json"
        if file.is_file():
            return _read_score(file)
        score = self.bench.validated(cell, settings, self.folder)
        _write_score(file, score)
        watcher.validated(cell, index, score)
        return score

    def done(self, cell: Cell, settings: Settings) -> Finished | None:
        """The cell if it is finished."""
        return cells.find(self.folder, self.bench.key(cell, settings))

    def do(self, cell: Cell, settings: Settings, earlier: Sequence[Finished], now: datetime) -> Finished:
        """Trains, measures and stores a cell."""
        names = (self.bench.place.suite.partition("@")[0], cell.strategy.name, f"{cell.share}", f"s{cell.seed}")
        folder = cells.new(self.folder, self.bench.key(cell, settings), names, now)
        record, rows = self.bench.measured(cell, settings, folder, earlier)
        return cells.save(folder, record, rows)


def run(work: Work, watcher: Watcher, clock: Clock | None = None) -> Done:
    """All cells of a bench; a cell that fails is told and left out.

    Raises Interrupted on ctrl-C, when what is finished stays on disk; UsageError before anything is trained when a
    strategy does not serve the suite.
    """
    lines, refused = work.strategies()
    place = work.bench.place
    planned = list(work.design.cells(place.suite, place.track, lines, place.origin))
    tuned = {strategy.name: work.tuned(strategy, watcher) for strategy in lines}
    there = [work.done(cell, tuned[cell.strategy.name].settings) for cell in planned]
    watcher.planned(place, len(planned), sum(found is not None for found in there))
    finished: list[Finished] = []
    failed: list[Failed] = []
    for cell, found in zip(planned, there, strict=True):
        try:
            one = found or _done(work, cell, tuned[cell.strategy.name].settings, finished, watcher, clock)
        except Interrupted:
            raise
        except MmbenchError as error:
            watcher.failed(cell, error)
            failed.append(Failed(cell, error))
        else:
            finished.append(one)
    sizes = {s.name: work.bench.size(s, tuned[s.name].settings) for s in lines if not s.control}
    return Done(place, lines, refused, tuple(finished), tuple(failed), tuned, sizes)


def _done(
    work: Work, cell: Cell, settings: Settings, earlier: Sequence[Finished], watcher: Watcher, clock: Clock | None
) -> Finished:
    try:
        found = work.do(cell, settings, earlier, (clock or _now)())
    except KeyboardInterrupt as error:
        raise Interrupted(
            f"Stopped in {cell.strategy.name}, seed {cell.seed}; the same command goes on from the finished cells."
        ) from error
    watcher.finished(cell, found)
    return found


def _now() -> datetime:
    return datetime.now(UTC)


def _read_score(file: Path) -> float:
    try:
        return float(json.loads(file.read_text(encoding="utf-8"))["validation"])
    except (ValueError, KeyError, TypeError) as error:
        raise LoadError(f"The trial {file} is damaged; delete it and study again.") from error


def _write_score(file: Path, score: float) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{os.getpid()}")
    part.write_text(json.dumps({"validation": score}), encoding="utf-8")
    part.replace(file)
