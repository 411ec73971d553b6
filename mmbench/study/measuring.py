"""From predictions on the test split to the record of a cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from mmbench.core.key import ComparabilityKey
from mmbench.core.prediction import Prediction
from mmbench.core.record import Cost, Counts, Execution, ModelRecord, RowsFile, RunRecord
from mmbench.core.sample import Sample
from mmbench.metrics.rows import Rows
from mmbench.metrics.scoring import estimates, needed_statistics, tables_of
from mmbench.runner.memory import peak_rss_mib
from mmbench.runner.plan import make_plan
from mmbench.runner.provenance import provenance
from mmbench.runner.scoring import comparability_key
from mmbench.runner.suites import OpenedSuite


@dataclass(frozen=True, slots=True)
class Trained:
    """What a cell's record says of its model, its execution and what it cost."""

    model: ModelRecord
    execution: Execution
    ms_per_item: float | None
    seconds: float


class TestSplit:
    """The test samples of a suite: what predictions are scored against, read once."""

    __test__ = False  # no test case, whatever its name

    def __init__(self, suite: OpenedSuite) -> None:
        """Raises NothingMeasured when the split is empty."""
        self.suite = suite
        self._plan = make_plan(suite.source, suite.reference, 1)

    @property
    def reference(self) -> str:
        """The suite with all its parameters."""
        return str(self._plan.reference)

    @property
    def ids(self) -> tuple[str, ...]:
        """The samples, in order."""
        return self._plan.ids

    @cached_property
    def stamps(self) -> list[str]:
        """Cheap identities of the samples."""
        return [self.suite.source.stamp(i) for i in self.ids]

    @cached_property
    def targets(self) -> Mapping[str, Any]:
        """By id."""
        return {sample.id: sample.target for sample, _ in self._loaded}

    def record(
        self, predictions: Sequence[Prediction], trained: Trained, argv: Sequence[str], now: datetime, draws: int
    ) -> tuple[RunRecord, Rows]:
        """Scores predictions on all samples; the id and the rows file of the record are filled in when it is stored."""
        spec, context = self.suite.spec, self.suite.context
        found = {p.sample_id: p for p in predictions}
        rows = Rows(
            self.ids,
            tuple(sample.id if sample.group is None else sample.group for sample, _ in self._loaded),
            tuple(sample.tags for sample, _ in self._loaded),
            tables_of(
                [self.targets[i] for i in self.ids],
                [found[i] for i in self.ids],
                needed_statistics(spec.metrics),
                context,
            ),
        )
        record = RunRecord(
            id="",
            suite=self.reference,
            title=spec.title,
            task=spec.task,
            primary=spec.primary,
            classes=context.classes,
            model=trained.model,
            status="ok",
            counts=Counts(planned=len(self.ids), scored=len(self.ids), failed=0),
            estimates=tuple(estimates(rows, spec.metrics, context, draws=draws)),
            bounds=self.suite.bounds(self.ids),
            rows=RowsFile(file="", sha256=""),
            execution=trained.execution,
            cost=Cost(ms_per_item=trained.ms_per_item, peak_rss_mib=peak_rss_mib(), seconds=trained.seconds),
            key=self._key(rows),
            licence=spec.licence,
            provenance=provenance(argv, trained.execution.device, now),
        )
        return record, rows

    def _key(self, rows: Rows) -> ComparabilityKey:
        return comparability_key(self.suite.spec, self._plan.reference, rows, [digest for _, digest in self._loaded])

    @cached_property
    def _loaded(self) -> list[tuple[Sample, str]]:
        """Each sample without its inputs, and the digest of its content."""
        found = []
        for sample_id in self.ids:
            sample = self.suite.source.load(sample_id)
            found.append((Sample(sample.id, {}, sample.target, sample.group, sample.tags), sample.digest()))
        return found
