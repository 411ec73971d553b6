"""The loop: the batches that are not in the journal yet are loaded, predicted, checked, scored and journalled."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from mmbench.conditions.applied import Applied
from mmbench.core.errors import LoadError, SampleError
from mmbench.core.metric import TaskContext
from mmbench.core.model import Model
from mmbench.core.prediction import Prediction
from mmbench.core.record import Failure
from mmbench.core.sample import Batch
from mmbench.core.source import Source
from mmbench.metrics.scoring import check, row_of
from mmbench.runner.journal import BatchResult, Entry, Journal
from mmbench.runner.loading import Loaded, LoadedBatch, load_batches
from mmbench.runner.plan import Plan

# Called with the number of samples that are journalled so far, failed ones included.
Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Job:
    """Everything that the loop needs.

    ``modalities`` are the suite's. ``statistics`` are counted in the loop, ``later`` after it; predictions are checked
    for both. With ``spatial`` they have the size of the target. ``conditions`` change the inputs that the model sees.
    """

    plan: Plan
    source: Source
    model: Model
    modalities: tuple[str, ...]
    statistics: tuple[str, ...]
    context: TaskContext
    workers: int = 0
    later: tuple[str, ...] = ()
    spatial: bool = True
    conditions: tuple[Applied, ...] = ()


def execute(job: Job, journal: Journal, progress: Progress) -> None:
    """Brings the journal to the end of the plan.

    A broken sample is journalled as a failure with its reason. Raises LoadError when the model cannot be used or does
    not answer by id.
    """
    done = journal.done()
    reached = sum(len(ids) for index, ids in enumerate(job.plan.batches) if index in done)
    progress(reached)
    waiting = [(index, ids) for index, ids in enumerate(job.plan.batches) if index not in done]
    start = time.perf_counter()
    for batch in load_batches(job.source, waiting, job.workers, job.conditions):
        entries, failures, predict_seconds = _measured(job, batch)
        end = time.perf_counter()
        split = getattr(job.model, "sub_batch", None) if batch.loaded else None
        journal.write(BatchResult(batch.index, entries, failures, predict_seconds, end - start, split))
        start = end
        reached += len(entries) + len(failures)
        progress(reached)


def predict(model: Model, batch: Batch) -> list[Prediction | SampleError]:
    """One outcome per sample in the order of ``batch.ids``, matched by id.

    A SampleError in place of a prediction stands for the sample at its position; a raised one for every sample. Raises
    LoadError when an id is missing, unknown or there twice.
    """
    try:
        answers = model.predict(batch)
    except SampleError as error:
        return [error] * len(batch)
    if len(answers) != len(batch):
        raise LoadError(
            f"The model {model.info.name!r} returned {len(answers)} predictions for a batch of {len(batch)} samples; "
            "it must return one per sample."
        )
    outcomes: dict[str, Prediction | SampleError] = {}
    for sample_id, answer in zip(batch.ids, answers, strict=True):
        answered = sample_id if isinstance(answer, SampleError) else answer.sample_id
        if answered in outcomes:
            raise LoadError(
                f"The model {model.info.name!r} answered the sample {answered!r} twice; it must return one prediction "
                "per sample of the batch."
            )
        outcomes[answered] = answer
    unknown = sorted(outcomes.keys() - set(batch.ids))
    if unknown:
        raise LoadError(
            f"The model {model.info.name!r} answered the sample {unknown[0]!r}, which is not in the batch; predictions "
            "must carry the ids of the batch."
        )
    return [outcomes[sample_id] for sample_id in batch.ids]


def _measured(job: Job, batch: LoadedBatch) -> tuple[tuple[Entry, ...], tuple[Failure, ...], float]:
    if not batch.loaded:
        return (), batch.failures, 0.0
    inputs = Batch.of([loaded.sample for loaded in batch.loaded], job.modalities, job.spatial)
    start = time.perf_counter()
    outcomes = predict(job.model, inputs)
    predict_seconds = time.perf_counter() - start
    entries, failures = _scored(job, batch.loaded, outcomes)
    return entries, batch.failures + failures, predict_seconds


def _scored(
    job: Job, batch: Sequence[Loaded], outcomes: Sequence[Prediction | SampleError]
) -> tuple[tuple[Entry, ...], tuple[Failure, ...]]:
    entries, failures = [], []
    for loaded, outcome in zip(batch, outcomes, strict=True):
        try:
            entries.append(_entry(job, loaded, outcome))
        except SampleError as error:
            failures.append(Failure(id=loaded.sample.id, reason=str(error)))
    return tuple(entries), tuple(failures)


def _entry(job: Job, loaded: Loaded, outcome: Prediction | SampleError) -> Entry:
    if isinstance(outcome, SampleError):
        raise outcome
    sample = loaded.sample
    check(sample.target, outcome, job.later, job.context)
    rows = row_of(sample.target, outcome, job.statistics, job.context)
    statistics = np.concatenate([np.zeros(0, np.int64), *(rows[name] for name in job.statistics)])
    group = sample.id if sample.group is None else sample.group
    return Entry(sample.id, loaded.digest, group, sample.tags, outcome, statistics)
