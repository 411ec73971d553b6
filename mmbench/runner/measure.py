"""One run: a suite and a model, from opening to the stored record."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import mmbench
from mmbench.adapters.opening import open_model
from mmbench.conditions.applied import described
from mmbench.core.errors import Interrupted, SampleError
from mmbench.core.model import Model, ModelOptions
from mmbench.core.record import Cost, Execution, RunRecord
from mmbench.core.source import NotedSource
from mmbench.metrics.scoring import needed_statistics, row_statistics, statistic_widths
from mmbench.runner import folders
from mmbench.runner.execute import Job, Progress, execute
from mmbench.runner.journal import Journal
from mmbench.runner.memory import reset_peak
from mmbench.runner.plan import Plan, make_plan, resume_key
from mmbench.runner.provenance import provenance
from mmbench.runner.scoring import Scores, comparability_key, cost, counts, model_record, score
from mmbench.runner.suites import OpenedSuite
from mmbench.store import StoredRun, save_rows, save_run

Clock = Callable[[], datetime]
# Of a model's options these are what the user wrote; what they came to stands in Execution.
_RESOLVED = ("device", "precision", "threads")


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The flags of ``mmbench run`` that concern every run of the command."""

    results: Path = Path("results")
    model: ModelOptions = field(default_factory=ModelOptions)
    batch_size: int = 32
    workers: int = 0
    draws: int = 1000
    fresh: bool = False
    argv: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that can start: the model is open, the batches are fixed, ``key`` is its resume key."""

    suite: OpenedSuite
    model: Model
    plan: Plan
    execution: Execution
    key: str


def now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)


def prepare(suite: OpenedSuite, locator: str, options: RunOptions) -> Prepared:
    """Opens the model and makes the plan; raises LoadError, UsageError or NothingMeasured."""
    return prepare_model(suite, open_model(locator, suite.spec, suite.source, options.model), options)


def prepare_model(suite: OpenedSuite, model: Model, options: RunOptions) -> Prepared:
    """Makes the plan of a model that is open; raises NothingMeasured."""
    plan = make_plan(suite.source, suite.reference, options.batch_size)
    execution = execution_of(model, options)
    identity = {
        "mmbench": mmbench.__version__,
        "suite": suite.spec.model_dump(mode="json"),
        "condition": described(suite.conditions),
        "model": model_record(model.info).model_dump(mode="json"),
        "options": {k: v for k, v in dataclasses.asdict(options.model).items() if k not in _RESOLVED},
        "execution": execution.model_dump(),
    }
    return Prepared(suite, model, plan, execution, resume_key(plan, suite.source, identity))


def measure(prepared: Prepared, options: RunOptions, progress: Progress, clock: Clock = now) -> StoredRun:
    """Brings the run to its end and stores it; an unfinished journal of the same run is continued.

    The record's status is ``failed`` when no sample could be scored. Raises Interrupted on ctrl-C, LoadError when the
    model or a loading process breaks: the journal keeps what was done.
    """
    source = prepared.suite.source
    notes = tuple(source.notes) if isinstance(source, NotedSource) else ()
    facts = provenance(options.argv, prepared.execution.device, clock()) | ({"notes": list(notes)} if notes else {})
    with _journal(prepared, options, clock) as journal:
        try:
            widths = _widths(prepared.suite)
            # They belong to the suite, not to the model: known before the loop, once for all models of a command.
            prepared.suite.bounds(prepared.plan.ids)
            reset_peak()
            execute(_job(prepared, widths, options), journal, progress)
            spent = cost(journal, prepared.execution.device)
            scores = score(journal, prepared.suite, widths, options.draws)
            return _stored(prepared, journal, scores, spent, facts)
        except KeyboardInterrupt as error:
            done = sum(len(ids) for i, ids in enumerate(prepared.plan.batches) if i in journal.done())
            raise Interrupted(
                f"Stopped after {done} of {len(prepared.plan.ids)} samples; the same command resumes the run."
            ) from error


def check_measured(run: StoredRun) -> None:
    """Raises SampleError when no sample of the run could be scored."""
    if run.record.status == "failed":
        first = run.record.failures[0]
        raise SampleError(
            f"None of the {run.record.counts.planned} samples could be scored (recorded in {run.folder}); the first "
            f"reason: {first.reason}"
        )


def execution_of(model: Model, options: RunOptions) -> Execution:
    """What the device, precision and threads of the options came to; a model without torch runs on one CPU thread."""
    torch = sys.modules.get("torch") if hasattr(model, "device") else None
    return Execution(
        batch_size=options.batch_size,
        device=str(getattr(model, "device", "cpu")),
        precision=str(getattr(model, "precision", "fp32")),
        threads=int(torch.get_num_threads()) if torch is not None else options.model.threads or 1,
    )


def _journal(prepared: Prepared, options: RunOptions, clock: Clock) -> Journal:
    found = None if options.fresh else folders.open_unfinished(options.results, prepared.key)
    if found is not None:
        return found
    names = (prepared.suite.spec.name, prepared.model.info.name)
    reference, planned = str(prepared.plan.reference), str(len(prepared.plan.ids))
    meta = {"mmbench": mmbench.__version__, "suite": reference, "planned": planned}
    return folders.create(options.results, prepared.key, names, clock(), meta)


def _widths(suite: OpenedSuite) -> tuple[tuple[str, int], ...]:
    return tuple(statistic_widths(row_statistics(needed_statistics(suite.spec.metrics)), suite.context).items())


def _job(prepared: Prepared, widths: tuple[tuple[str, int], ...], options: RunOptions) -> Job:
    suite = prepared.suite
    counted = tuple(name for name, _ in widths)
    return Job(
        plan=prepared.plan,
        source=suite.source,
        model=prepared.model,
        modalities=suite.spec.modalities,
        statistics=counted,
        later=tuple(name for name in needed_statistics(suite.spec.metrics) if name not in counted),
        context=suite.context,
        workers=options.workers,
        spatial=suite.spec.spatial,
        conditions=suite.conditions,
    )


def _stored(prepared: Prepared, journal: Journal, scores: Scores, spent: Cost, facts: Mapping[str, Any]) -> StoredRun:
    folder = journal.path.parent
    spec = prepared.suite.spec
    failures, condition = tuple(journal.failures()), described(prepared.suite.conditions)
    record = RunRecord(
        id=folder.name,
        suite=str(prepared.plan.reference),
        title=spec.title,
        task=spec.task,
        primary=spec.primary,
        classes=tuple(prepared.suite.source.classes),
        model=model_record(prepared.model.info),
        condition=condition,
        status=_status(len(prepared.plan.ids), len(failures)),
        counts=counts(len(prepared.plan.ids), len(failures)),
        failures=failures,
        estimates=scores.estimates,
        bounds=scores.bounds,
        rows=save_rows(folder, scores.rows),
        execution=prepared.execution,
        cost=spent,
        key=comparability_key(spec, prepared.plan.reference, scores.rows, scores.digests, condition),
        licence=spec.licence,
        provenance=dict(facts),
    )
    return save_run(folder, record)


def _status(planned: int, failed: int) -> Literal["ok", "partial", "failed"]:
    if failed == 0:
        return "ok"
    return "partial" if failed < planned else "failed"
