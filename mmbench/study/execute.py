"""Does the cells of a study in order; what is on disk is not done again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mmbench.core.errors import Interrupted, MmbenchError, UsageError
from mmbench.study import cells
from mmbench.study.bench import Bench, Place, Plan, Watcher
from mmbench.study.cells import Finished
from mmbench.study.design import BASELINE, Cell, Design, Strategy, strategies
from mmbench.study.forecast import Expected, Forecast
from mmbench.study.settings import Settings, trials
from mmbench.study.sizing import Size
from mmbench.study.tuning import Tuned, best, read_score, write_score

Clock = Callable[[], datetime]
# Trials of tuning are trainings of their own: their seed is none of the study's.
_TUNING_SEED = 1_000_000


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

    def cells(self, lines: Sequence[Strategy]) -> list[Cell]:
        """All cells, finished or not."""
        place = self.bench.place
        return list(self.design.cells(place.suite, place.track, lines, place.origin))

    def trials(self, strategy: Strategy) -> list[Settings]:
        """What tuning tries; nothing for an ensemble, which is not trained."""
        return [] if strategy.control == "ensemble" else list(trials(self.design.trials))

    def tried(self, strategy: Strategy) -> list[float | None]:
        """The scores of the trials that are done, None for those that are not."""
        return [read_score(self._trial_file(strategy, settings)) for settings in self.trials(strategy)]

    def validate(self, strategy: Strategy, settings: Settings) -> float:
        """Trains with these settings, and stores the validation score."""
        score = self.bench.validated(self.trial(strategy), settings, self.folder)
        write_score(self._trial_file(strategy, settings), score)
        return score

    def trial(self, strategy: Strategy) -> Cell:
        """A trial of tuning as a cell; it is not measured."""
        return Cell(self.bench.place.suite, self.bench.place.track, strategy, _TUNING_SEED, self.design.whole)

    def _trial_file(self, strategy: Strategy, settings: Settings) -> Path:
        return self.folder / f"trial-{self.bench.key(self.trial(strategy), settings)}.json"

    def done(self, cell: Cell, settings: Settings) -> Finished | None:
        """The cell if it is finished."""
        return cells.find(self.folder, self.bench.key(cell, settings))

    def is_done(self, cell: Cell, settings: Settings) -> bool:
        """Whether it is finished."""
        return cells.place_of(self.folder, self.bench.key(cell, settings)) is not None

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
    session = _Session(work, watcher, clock or _now, lines)
    try:
        session.begin()
        tuned = {strategy.name: session.tuned(strategy) for strategy in lines}
        found = list(session.finished(tuned))
    except KeyboardInterrupt as error:
        raise Interrupted(f"Stopped in {session.doing}; the same command goes on from the finished cells.") from error
    sizes = {s.name: work.bench.size(s, tuned[s.name].settings) for s in lines if not s.control}
    return Done(work.bench.place, lines, refused, tuple(found), tuple(session.failed), tuned, sizes)


class _Session:
    """One go at the work: what is still to do, how long that takes, what failed."""

    def __init__(self, work: Work, watcher: Watcher, clock: Clock, lines: Sequence[Strategy]) -> None:
        self._work, self._watcher, self._clock, self._lines = work, watcher, clock, lines
        self._forecast = Forecast((), Expected())
        self.doing = "the preparation"
        self.failed: list[Failed] = []

    def begin(self) -> None:
        """Tells what is to do and how long it takes, and does what all of it shares."""
        work = self._work
        scores = {line.name: work.tried(line) for line in self._lines}
        untried = [name for name, tried in scores.items() for score in tried if score is None]
        planned = work.cells(self._lines)
        left = [
            cell.strategy.name
            for cell in planned
            if cell.strategy.name in untried or not work.is_done(cell, best(tuple(scores[cell.strategy.name])).settings)
        ]
        todo = [*untried, *left]
        self._watcher.planned(work.bench.place, Plan(len(planned), len(planned) - len(left), len(untried)))
        if todo:
            self._prepare(todo)

    def _prepare(self, todo: Sequence[str]) -> None:
        bench = self._work.bench
        self._forecast = Forecast(todo, bench.expected([line for line in self._lines if line.name in todo]))
        if self._forecast.seconds is not None:
            self._watcher.expected(self._forecast.seconds)
        bench.prepare()
        self._forecast.prepared()

    def tuned(self, strategy: Strategy) -> Tuned:
        """The best of the design's trials on the validation split."""
        scores = self._work.tried(strategy)
        for index, settings in enumerate(self._work.trials(strategy)):
            if scores[index] is None:
                scores[index] = self._tried(strategy, settings, index)
        return best(tuple(scores))

    def _tried(self, strategy: Strategy, settings: Settings, index: int) -> float | None:
        """None for a trial that failed: a rate may be too high for a strategy, and the others still count."""
        start, cell = time.monotonic(), self._work.trial(strategy)
        self.doing = f"trial {index + 1} of {strategy.name}"
        try:
            score = self._work.validate(strategy, settings)
        except Interrupted:
            raise
        except MmbenchError as error:
            self._forecast.done(strategy.name)
            self._watcher.failed(cell, error, index)
            return None
        self._forecast.done(strategy.name, time.monotonic() - start)
        self._watcher.validated(cell, index, score, self._forecast.seconds)
        return score

    def finished(self, tuned: dict[str, Tuned]) -> Iterator[Finished]:
        """The cells in order, from disk or trained now."""
        earlier: list[Finished] = []
        planned = self._work.cells(self._lines)
        there = [self._work.done(cell, tuned[cell.strategy.name].settings) for cell in planned]
        for cell, found in zip(planned, there, strict=True):
            one = found or self._done(cell, tuned[cell.strategy.name].settings, earlier)
            if one is not None:
                earlier.append(one)
                yield one

    def _done(self, cell: Cell, settings: Settings, earlier: Sequence[Finished]) -> Finished | None:
        start, name = time.monotonic(), cell.strategy.name
        self.doing = f"{name}, seed {cell.seed}"
        try:
            found = self._work.do(cell, settings, earlier, self._clock())
        except Interrupted:
            raise
        except MmbenchError as error:
            self._forecast.done(name)
            self._watcher.failed(cell, error)
            self.failed.append(Failed(cell, error))
            return None
        self._forecast.done(name, time.monotonic() - start)
        self._watcher.finished(cell, found, self._forecast.seconds)
        return found


def _now() -> datetime:
    return datetime.now(UTC)
