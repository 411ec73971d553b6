"""How much a study would be: its cells, and the minutes that they take on this machine."""

from __future__ import annotations

from dataclasses import dataclass

from mmbench.study.bench import Place
from mmbench.study.execute import Work
from mmbench.study.forecast import Forecast
from mmbench.study.settings import Settings


@dataclass(frozen=True, slots=True)
class Preview:
    """``cells`` in all, ``done`` of them finished before; ``trials`` of tuning; ``encoders`` to be trained first.

    ``seconds`` are for what is left. ``refused`` says which strategies do not serve the suite. With tuning no cell
    counts as finished, as the settings are still to be found.
    """

    place: Place
    cells: int
    done: int
    trials: int
    encoders: int
    seconds: float
    refused: dict[str, str]


def preview(work: Work) -> Preview:
    """Times a few steps of each strategy; raises UsageError as ``execute.run``."""
    lines, refused = work.strategies()
    place, trials = work.bench.place, work.design.trials
    planned = work.cells(lines)
    left = [cell for cell in planned if trials or not work.is_done(cell, Settings())]
    todo = [cell.strategy.name for cell in left] + [line.name for line in lines for _ in work.trials(line)]
    expected = work.bench.expected([line for line in lines if line.name in todo], always=True)
    return Preview(
        place,
        len(planned),
        len(planned) - len(left),
        len(todo) - len(left),
        work.bench.encoders(),
        Forecast(todo, expected).seconds or 0.0,
        refused,
    )
