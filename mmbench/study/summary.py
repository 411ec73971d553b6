"""From the finished cells to the table."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from mmbench.core.bounds import Bounds
from mmbench.core.errors import NothingMeasured
from mmbench.core.metric import TaskContext, metric_named
from mmbench.core.record import RunRecord
from mmbench.study.cells import Finished
from mmbench.study.contrasts import jackknives
from mmbench.study.design import Design, Strategy
from mmbench.study.execute import Done
from mmbench.study.sizing import Size
from mmbench.study.table import Cost, Measured, StudyTable, Subject, tabulate


def table_of(done: Done, design: Design) -> StudyTable:
    """The table of all strategies that have every seed; the others are named with the reason.

    Raises NothingMeasured when the strategy that all are compared with is not among them.
    """
    whole = [one for one in done.finished if one.facts.share == design.whole]
    complete = {s.name: [one for one in whole if one.facts.strategy == s.name] for s in done.strategies}
    complete = {name: cells for name, cells in complete.items() if len(cells) == design.seeds}
    if design.against not in complete:
        reason = next((str(f.error) for f in done.failed if f.cell.strategy.name == design.against), "no seed is done.")
        raise NothingMeasured(f"{design.against}, which all strategies are compared with, has no score: {reason}")
    record = complete[design.against][0].run.record
    metric = metric_named(record.primary)
    context = TaskContext(record.classes, None)
    flat = [one for cells in complete.values() for one in cells]
    scores = dict(
        zip((one.facts.cell for one in flat), jackknives([o.rows for o in flat], metric, context), strict=True)
    )
    measured = [
        Measured(
            strategy=strategy,
            seeds=tuple(scores[one.facts.cell] for one in complete[strategy.name]),
            validation=float(np.mean([one.facts.validation for one in complete[strategy.name]])),
            cost=_cost(complete[strategy.name], done.sizes.get(strategy.name)),
            by_labels=tuple(_by_labels(done.finished, strategy)),
        )
        for strategy in done.strategies
        if strategy.name in complete
    ]
    missing = tuple(_missing(done, complete.keys()))
    subject = Subject(
        str(done.place), done.place.track, metric, design.against, record.counts.scored, _bounds(record), missing
    )
    return tabulate(subject, measured)


def _cost(cells: Sequence[Finished], size: Size | None) -> Cost:
    """The middle of the seeds' times."""
    first = cells[0]
    times = [t for one in cells if (t := one.run.record.cost.ms_per_item) is not None]
    return Cost(
        first.facts.fusion_parameters,
        first.run.record.model.parameters or 0,
        float(np.median(times)) if times else None,
        size,
    )


def _by_labels(finished: Sequence[Finished], strategy: Strategy) -> Iterator[tuple[int, float]]:
    """Mean scores over the seeds by number of labels, ascending."""
    own = [one for one in finished if one.facts.strategy == strategy.name]
    for labels in sorted({one.facts.labels for one in own}):
        found = [_score(one.run.record) for one in own if one.facts.labels == labels]
        defined = [value for value in found if value is not None]
        if defined:
            yield labels, float(np.mean(defined))


def _score(record: RunRecord) -> float | None:
    estimate = record.estimate(record.primary)
    return None if estimate is None else estimate.value


def _bounds(record: RunRecord) -> Bounds | None:
    return next((b for b in record.bounds if (b.metric, b.tag) == (record.primary, "")), None)


def _missing(done: Done, complete: Collection[str]) -> Iterator[str]:
    yield from (f"{name} is left out: {reason}" for name, reason in done.refused.items())
    for strategy in done.strategies:
        if strategy.name not in complete:
            reason = next((str(f.error) for f in done.failed if f.cell.strategy.name == strategy.name), "")
            yield f"{strategy.name} is left out: {reason or 'a seed of it is missing.'}"
    if done.place.origin:
        return
    if not done.place.labelled:
        yield "concat_shuffled is left out: samples of this task have no single class to shuffle within."
    if not done.place.averaged:
        yield "ensemble is left out: outputs of this task are no class scores that could be averaged."
