"""How much a study would be: its cells, and the minutes that they take on this machine."""

from __future__ import annotations

from dataclasses import dataclass

from mmbench.study.bench import Place
from mmbench.study.execute import Work
from mmbench.study.settings import Settings


@dataclass(frozen=True, slots=True)
class Preview:
    """``cells`` in all, ``done`` of them finished before; ``trials`` of tuning; ``encoders`` to be trained first.

    ``seconds`` are for the trainings that are left, without validations and tests. ``refused`` says which strategies do
    not serve the suite. With tuning no cell counts as finished, as the settings are still to be found.
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
    planned = list(work.design.cells(place.suite, place.track, lines, place.origin))
    left = [cell for cell in planned if trials or work.done(cell, Settings()) is None]
    each = {line.name: work.bench.seconds(line) for line in lines if any(cell.strategy == line for cell in left)}
    encoders = work.bench.encoder_seconds()
    seconds = sum(each[cell.strategy.name] for cell in left) + trials * sum(each.values()) + sum(encoders)
    return Preview(place, len(planned), len(planned) - len(left), trials * len(lines), len(encoders), seconds, refused)
