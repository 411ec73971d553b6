"""Scores result files: no model, no inputs, no loop; the record is one like that of a run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from mmbench.adapters.results.reading import Results, read_results
from mmbench.core.errors import NothingMeasured, SampleError, UsageError
from mmbench.core.key import digest_of
from mmbench.core.model import ModelInfo
from mmbench.core.record import Cost, Counts, Execution, Failure, RowsFile, RunRecord
from mmbench.core.sample import Sample
from mmbench.core.source import NotedSource, Source, TargetedSource
from mmbench.metrics.rows import Rows
from mmbench.metrics.scoring import check, estimates, needed_statistics, tables_of
from mmbench.runner import folders
from mmbench.runner.memory import peak_rss_mib
from mmbench.runner.plan import Plan, make_plan
from mmbench.runner.provenance import provenance
from mmbench.runner.scoring import comparability_key, model_record
from mmbench.runner.suites import OpenedSuite
from mmbench.store import ROWS, StoredRun, save_rows, save_run

# No model was executed.
NOT_EXECUTED = Execution(batch_size=0, device="none", precision="none", threads=0)
Clock = Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class ScoreOptions:
    """The flags of ``mmbench score``; with ``common_ids`` only samples that every file names are scored."""

    results: Path = Path("results")
    draws: int = 1000
    common_ids: bool = False
    argv: tuple[str, ...] = field(default=())


def score_files(suite: OpenedSuite, paths: Sequence[Path], options: ScoreOptions, clock: Clock) -> list[StoredRun]:
    """One stored run per file; the samples are those that the file names, as in the official scripts.

    A subset in the suite's reference (``#n=200,seed=0``) holds here too. Raises LoadError for a file that cannot be
    read, NothingMeasured when no sample is left.
    """
    if not isinstance(suite.source, TargetedSource):
        raise UsageError(f"Suite {suite.spec.name!r} has no result files; score folders with mmbench run.")
    plan = make_plan(suite.source, suite.reference, batch_size=1)
    read = [read_results(path, suite.spec, suite.source) for path in paths]
    common = set(plan.ids).intersection(*(one.predictions for one in read)) if options.common_ids else None
    if common is not None and not common:
        raise NothingMeasured("The result files have no sample in common; leave out --common-ids.")
    return [_scored(suite, plan, one, common, options, clock) for one in read]


def _scored(
    suite: OpenedSuite, plan: Plan, results: Results, common: set[str] | None, options: ScoreOptions, clock: Clock
) -> StoredRun:
    started = clock()
    wanted = results.predictions.keys() if common is None else common
    samples = [_bare(suite.source, sample_id) for sample_id in plan.ids if sample_id in wanted]
    fit, failures = _fitting(suite, samples, results)
    rows = _rows(suite, fit, results)
    key = comparability_key(suite.spec, plan.reference, rows, [sample.digest() for sample in fit])
    if common is not None:
        key = key.model_copy(update={"subset": ",".join(filter(None, (key.subset, f"common-ids={len(common)}")))})
    record = RunRecord(
        id="",
        suite=str(plan.reference),
        title=suite.spec.title,
        task=suite.spec.task,
        primary=suite.spec.primary,
        classes=tuple(suite.source.classes),
        model=model_record(_info(results, suite)),
        status="partial" if failures else "ok",
        counts=Counts(planned=len(samples), scored=len(fit), failed=len(failures), available=len(plan.ids)),
        failures=failures,
        estimates=tuple(estimates(rows, suite.spec.metrics, suite.context, draws=options.draws)),
        bounds=suite.bounds(rows.ids),
        rows=RowsFile(file=ROWS, sha256=""),
        execution=NOT_EXECUTED,
        cost=Cost(ms_per_item=None, peak_rss_mib=peak_rss_mib(), seconds=(clock() - started).total_seconds()),
        key=key,
        licence=suite.spec.licence,
        provenance=_facts(suite.source, options, started),
    )
    return _stored(record, rows, results, options, started)


def _bare(source: Source, sample_id: str) -> Sample:
    if not isinstance(source, TargetedSource):
        raise TypeError(f"{type(source).__name__} cannot give samples without their inputs")
    return source.without_inputs(sample_id)


def _fitting(
    suite: OpenedSuite, samples: Sequence[Sample], results: Results
) -> tuple[list[Sample], tuple[Failure, ...]]:
    if not samples:
        raise NothingMeasured(f"The results {str(results.path)!r} name no sample of the subset; leave out its limit.")
    statistics = needed_statistics(suite.spec.metrics)
    fit, failures = [], []
    for sample in samples:
        try:
            check(sample.target, results.predictions[sample.id], statistics, suite.context)
        except SampleError as error:
            failures.append(Failure(id=sample.id, reason=str(error)))
        else:
            fit.append(sample)
    if not fit:
        raise SampleError(f"None of the {len(failures)} results of {results.path} can be scored: {failures[0].reason}")
    return fit, tuple(failures)


def _rows(suite: OpenedSuite, samples: Sequence[Sample], results: Results) -> Rows:
    predictions = [results.predictions[sample.id] for sample in samples]
    statistics = needed_statistics(suite.spec.metrics)
    tables = tables_of([sample.target for sample in samples], predictions, statistics, suite.context)
    groups = tuple(sample.id if sample.group is None else sample.group for sample in samples)
    return Rows(tuple(sample.id for sample in samples), groups, tuple(sample.tags for sample in samples), tables)


def _info(results: Results, suite: OpenedSuite) -> ModelInfo:
    return ModelInfo(results.name, f"predictions:{results.path}", suite.spec.task, (), results.digest)


def _facts(source: Source, options: ScoreOptions, started: datetime) -> dict[str, Any]:
    notes = list(source.notes) if isinstance(source, NotedSource) else []
    return provenance(options.argv, "cpu", started) | ({"notes": notes} if notes else {})


def _stored(record: RunRecord, rows: Rows, results: Results, options: ScoreOptions, started: datetime) -> StoredRun:
    identity = digest_of([record.suite, record.key.subset, record.key.data, results.digest, options.draws]) * 2
    folder = folders.new(options.results, identity, (record.key.suite, results.name), started)
    file = save_rows(folder, rows)
    return save_run(folder, record.model_copy(update={"id": folder.name, "rows": file}))
