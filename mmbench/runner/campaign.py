"""Several suites and several models: every pair is a run, and one that fails does not stop the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from mmbench.adapters.opening import expand_locators
from mmbench.core.errors import ExitCode, Interrupted, MmbenchError, worst
from mmbench.runner.execute import Progress
from mmbench.runner.measure import Prepared, RunOptions, check_measured, measure, prepare
from mmbench.runner.suites import OpenedSuite
from mmbench.store import StoredRun


@dataclass(frozen=True, slots=True)
class Task:
    """One run that is to be done."""

    suite: OpenedSuite
    locator: str


class Watcher(Protocol):
    """Is told what happens, as it happens."""

    def started(self, prepared: Prepared) -> Progress:
        """A run begins; what is returned is called with the number of samples done."""

    def finished(self, prepared: Prepared, run: StoredRun) -> None:
        """A run was stored."""

    def failed(self, task: Task, error: MmbenchError) -> None:
        """A run could not be done, or scored nothing."""


def tasks(suites: Sequence[OpenedSuite], models: Sequence[str]) -> list[Task]:
    """Every suite with every model that ``models`` (locators and globs) mean for it; raises LoadError for no match."""
    return [Task(suite, locator) for suite in suites for locator in expand_locators(models, suite.spec.name)]


def run_all(todo: Sequence[Task], options: RunOptions, watcher: Watcher) -> ExitCode:
    """Does the runs one after the other; returns the exit code of them all.

    A failed run is told to the watcher and the next one goes on; Interrupted is raised at once.
    """
    return worst([code for task in todo for code in _outcome(task, options, watcher)])


def _outcome(task: Task, options: RunOptions, watcher: Watcher) -> Iterator[ExitCode]:
    try:
        prepared = prepare(task.suite, task.locator, options)
        run = measure(prepared, options, watcher.started(prepared))
        check_measured(run)
    except Interrupted:
        raise
    except MmbenchError as error:
        watcher.failed(task, error)
        yield error.exit_code
    else:
        watcher.finished(prepared, run)
        yield ExitCode.SAMPLES_FAILED if run.record.status == "partial" else ExitCode.OK
