"""What a study tells on stderr where that is no terminal, and that a terminal is left clean."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("torch")

from mmbench.cli.watching_study import StudyReporter, duration
from mmbench.core.errors import UsageError
from mmbench.models.loop import Progress
from mmbench.study.bench import Place, Plan
from mmbench.study.design import Cell, Strategy

PLACE = Place("cls-it@1", "frozen", ("image", "text"), True, True)
GMU = Cell("cls-it@1", "frozen", Strategy("gmu", "gmu", ("image", "text")), seed=3)
FINISHED: Any = SimpleNamespace(
    facts=SimpleNamespace(validation=0.5), run=SimpleNamespace(record=SimpleNamespace(cost=SimpleNamespace(seconds=2)))
)


@pytest.fixture
def reporter() -> Iterator[StudyReporter]:
    with StudyReporter() as found:
        yield found


def test_the_time_is_told_before_anything_is_done(reporter: StudyReporter, capsys: pytest.CaptureFixture[str]) -> None:
    reporter.planned(PLACE, Plan(cells=65, done=5, trials=8))
    reporter.expected(540.0)
    assert capsys.readouterr().err.splitlines() == [
        "cls-it@1, frozen: 65 cells, 5 of them finished before, 8 trials of tuning first",
        "about 9 min in all",
    ]


def test_cells_and_trials_count_down(reporter: StudyReporter, capsys: pytest.CaptureFixture[str]) -> None:
    """Trials are trainings like any other; a failure counts as done."""
    reporter.planned(PLACE, Plan(cells=2, done=0, trials=2))
    reporter.validated(GMU, 0, 0.25, 30.0)
    reporter.failed(GMU, UsageError("The loss became nan."), 1)
    reporter.finished(GMU, FINISHED, None)
    reporter.finished(GMU, FINISHED, 0.0)
    assert capsys.readouterr().err.splitlines() == [
        "cls-it@1, frozen: 2 cells, 2 trials of tuning first",
        "1/4 gmu, trial 1: validation 0.2500; about 30 s left",
        "mmbench: gmu, trial 2: The loss became nan.",
        "3/4 gmu, seed 3: validation 0.5000, 2.0 s; time left not known",
        "4/4 gmu, seed 3: validation 0.5000, 2.0 s; the last one",
    ]


def test_encoders_tell_their_validations(reporter: StudyReporter, capsys: pytest.CaptureFixture[str]) -> None:
    """Cells are too many for that."""
    reporter.planned(PLACE, Plan(cells=1, done=0, trials=0))
    capsys.readouterr()
    for step, score in ((1, None), (2, 0.5)):
        reporter.trained(Progress("encoder image", step, 4, 0.1, score))
        reporter.trained(Progress("cell", step, 4, 0.1, score))
    (told,) = capsys.readouterr().err.splitlines()
    assert told.startswith("encoder image: step 2/4, validation 0.5000; about 0 s left")


def test_a_terminal_shows_a_bar_and_is_left_clean(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also when a step is told before any plan, as an encoder's may be."""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    with StudyReporter() as found:
        found.trained(Progress("encoder image", 1, 4, 0.1, 0.5))
        found.planned(PLACE, Plan(cells=1, done=0, trials=0))
        found.trained(Progress("cell", 2, 4, 0.1))
        found.finished(GMU, FINISHED, 0.0)
    told = capsys.readouterr().err
    assert "1/1" in told
    assert "the last one" in told
    assert told.endswith("\n\x1b[?25h")  # the cursor is shown again


@pytest.mark.parametrize(
    ("seconds", "told"), [(0.2, "0 s"), (89, "89 s"), (95, "2 min"), (5399, "90 min"), (9000, "2.5 h")]
)
def test_durations_are_short(seconds: float, told: str) -> None:
    assert duration(seconds) == told
