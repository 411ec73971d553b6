"""Runs of one model trained with several seeds, known by what their records say of the training, never by a name.

A record names a seed where its checkpoint does: ``training.seed``, as ``mmbench train`` writes it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from mmbench.core.errors import NotComparable
from mmbench.core.key import digest_of
from mmbench.core.record import RunRecord
from mmbench.store import StoredRun

# What may differ between seeds of one training: the seed, what came of it, and the version that trained it.
_SEED = "seed"
_OUTCOMES = (_SEED, "best_after", "validation", "mmbench")
# Without it the training says how, but not what was trained.
_ARCHITECTURE = "architecture"


# By suite (as asked for) and model.
Models = dict[tuple[str, str], list[StoredRun]]


def training_seed(record: RunRecord) -> int | None:
    """The seed that the model was trained with, None where the record does not say."""
    seed = record.model.training.get(_SEED)
    return seed if isinstance(seed, int) and not isinstance(seed, bool) else None


def recipe_of(record: RunRecord) -> str:
    """Digest of all that seeds of one model have in common: architecture, recipe, inputs.

    The model's name counts only where the training does not name the architecture.
    """
    model = record.model
    told = model.model_dump(mode="json", include={"task", "modalities", "parameters", "accepts_missing"})
    name = "" if _ARCHITECTURE in model.training else model.name
    return digest_of([told, model.preprocessing, _recipe(model.training), name])


def check_seeds(records: Sequence[RunRecord]) -> None:
    """Raises NotComparable unless these runs (two or more) are one model with a different training seed each."""
    first = records[0]
    for record in records:
        if training_seed(record) is None:
            raise NotComparable(
                f"The record of {record.id} names no training seed, so that it cannot be one of several seeds of "
                f"{first.model.name}; give one run for each side, or checkpoints of mmbench train."
            )
        if recipe_of(record) != recipe_of(first):
            raise NotComparable(
                f"{record.id} and {first.id} are no training seeds of one model: their recipes differ; give a side the "
                "runs of one model."
            )
    seeds = [training_seed(record) for record in records]
    if len(set(seeds)) < len(seeds):
        raise NotComparable(
            f"Runs of one side were trained with the same seed ({', '.join(map(str, seeds))}); give each seed once."
        )


def by_model(runs: Iterable[StoredRun]) -> Models:
    """By suite as asked for and model: its newest run, or the newest of each training seed where the records name them.

    Runs of unequal names are seeds of one model where their records say so; the place then has the recipe's digest.
    """
    newest: dict[tuple[str, str, int | None], StoredRun] = {}
    for run in sorted(runs, key=_age):
        newest[_asked(run.record), run.record.model.name, training_seed(run.record)] = run
    found: Models = {}
    for (asked, name, seed), run in sorted(newest.items(), key=lambda item: _age(item[1])):
        found.setdefault((asked, name if seed is None else recipe_of(run.record)), []).append(run)
    # Of unequal recipes under one name the newest is the model.
    by_age = sorted(found.items(), key=lambda item: _age(item[1][-1]))
    return dict(part for place, several in by_age for part in _named(place, several))


def _age(run: StoredRun) -> str:
    """A run's id begins with its time."""
    return run.record.id


def _recipe(training: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in training.items() if name not in _OUTCOMES}
    return {name: _recipe(value) if isinstance(value, Mapping) else value for name, value in kept.items()}


def _named(place: tuple[str, str], runs: list[StoredRun]) -> Iterator[tuple[tuple[str, str], list[StoredRun]]]:
    """Runs of one recipe under their model's name; those that repeat a seed are models of their own."""
    names = dict.fromkeys(run.record.model.name for run in runs)
    seeds = {training_seed(run.record) for run in runs}
    if len(names) > 1 and len(seeds) == len(runs):
        yield place, runs
        return
    for name in names:
        yield (place[0], name), [run for run in runs if run.record.model.name == name]


def _asked(record: RunRecord) -> str:
    parameters = ",".join(f"{name}={value}" for name, value in sorted(record.key.parameters.items()))
    return f"{record.key.suite}[{parameters}] {record.condition}"
