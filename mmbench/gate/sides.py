"""Which run of the base belongs to which run of the head. Whatever is missing on a side is refused, never skipped."""

from __future__ import annotations

from pathlib import Path

from mmbench.core.errors import NotComparable, NothingMeasured, SampleError, UsageError
from mmbench.core.record import RunRecord
from mmbench.gate.references import is_reference
from mmbench.reports.paired_runs import PairedRuns, pair_seeds
from mmbench.reports.training_seeds import Models, by_model
from mmbench.store import StoredRun, find_runs, resolve_run


def side(text: str, results: Path, what: str) -> list[StoredRun]:
    """The runs of ``--base`` or ``--head``: those under a folder, or one run by its name under ``results``.

    Raises NothingMeasured (exit code 4) when there are none.
    """
    if Path(text).exists():
        return find_runs([Path(text)])
    try:
        return [resolve_run(text, results)]
    except UsageError as error:
        raise NothingMeasured(
            f"The {what} {text!r} is missing; measure it with mmbench run, or keep a reference: mmbench gate accept "
            f"RUN -o {text}."
        ) from error


def pair_sides(base: list[StoredRun], head: list[StoredRun]) -> list[PairedRuns]:
    """Base and head of each suite and model, the newest run of each, or of each training seed.

    Raises SampleError for a run with failed samples, NotComparable where a side lacks a run, the sides are swapped or
    two runs were not measured in the same way.
    """
    for run in (*base, *head):
        _check_complete(run.record)
    if any(is_reference(run.record) for run in head) and not any(is_reference(run.record) for run in base):
        raise NotComparable(
            "The head is an accepted reference and the base is not: the sides are swapped; exchange them."
        )
    return [pair_seeds(*pair) for pair in _matched(by_model(base), by_model(head))]


def concerning(base: list[StoredRun], head: list[StoredRun]) -> list[StoredRun]:
    """The runs of the base that the head has a counterpart of: the same suite and model, or the suite's only model."""
    bases, heads = by_model(base), by_model(head)
    suites = {suite for suite, _ in heads}
    kept = [place for place in bases if place in heads or (place[0] in suites and _count(bases, place[0]) == 1)]
    return [run for place in kept for run in bases[place]]


def _matched(base: Models, head: Models) -> list[tuple[list[StoredRun], list[StoredRun]]]:
    if len(base) == len(head) == 1:
        return [(next(iter(base.values())), next(iter(head.values())))]
    base, head = _without_lone_names(base, head), _without_lone_names(head, base)
    for place in sorted(base.keys() ^ head.keys()):
        have, lack = ("base", "head") if place in base else ("head", "base")
        run = (base if place in base else head)[place][0].record
        raise NotComparable(
            f"The {lack} has no run of {run.model.name} on {run.suite}, which the {have} has; measure it (or accept it "
            "as a reference)."
        )
    return [(base[place], head[place]) for place in sorted(base)]


def _without_lone_names(runs: Models, others: Models) -> Models:
    """A suite with one model on either side is the same model, however it is named."""
    alone = {suite for suite, _ in runs if all(_count(side, suite) == 1 for side in (runs, others))}
    return {(suite, "" if suite in alone else name): run for (suite, name), run in runs.items()}


def _count(runs: Models, suite: str) -> int:
    return sum(place[0] == suite for place in runs)


def _check_complete(record: RunRecord) -> None:
    if record.status != "ok" or record.counts.failed:
        raise SampleError(
            f"{record.counts.failed} of {record.counts.planned} samples of {record.id} failed; a gate compares whole "
            "runs, repair the samples and measure again."
        )
