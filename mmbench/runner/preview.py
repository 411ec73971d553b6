"""``--dry-run``: what a run would do, without doing it."""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mmbench.conditions.applied import described
from mmbench.core.errors import SampleError
from mmbench.core.sample import Sample
from mmbench.runner import folders
from mmbench.runner.measure import Prepared, RunOptions

# Samples that are loaded to estimate sizes and times.
_PROBES = 4


@dataclass(frozen=True, slots=True)
class Preview:
    """The size of a run. Estimates come from loading ``probes`` samples, spread evenly; None where all were broken.

    ``sample_bytes`` is one sample in memory, ``journal_bytes`` an upper estimate of all label maps before compression,
    ``load_seconds`` the time to load every sample in one process. ``predict_seconds`` is what the model still needs,
    known only when an unfinished run has timed it. ``done`` counts samples in the unfinished ``journal``.
    """

    suite: str
    condition: str
    model: str
    samples: int
    batches: int
    probes: int
    sample_bytes: int | None
    journal_bytes: int | None
    load_seconds: float | None
    predict_seconds: float | None
    journal: Path | None
    done: int

    def as_dict(self) -> dict[str, Any]:
        """JSON."""
        return {**dataclasses.asdict(self), "journal": None if self.journal is None else str(self.journal)}


def preview(prepared: Prepared, options: RunOptions) -> Preview:
    """Looks at a few samples and for an unfinished run; raises UsageError when another process is doing the run."""
    plan = prepared.plan
    probes, seconds = _probe(prepared)
    samples = len(plan.ids)
    journal, done, predict_seconds = (None, 0, None) if options.fresh else _progress_of(prepared, options)
    return Preview(
        suite=str(plan.reference),
        condition=described(prepared.suite.conditions),
        model=prepared.model.info.name,
        samples=samples,
        batches=len(plan.batches),
        probes=len(probes),
        sample_bytes=max(map(_bytes, probes)) if probes else None,
        journal_bytes=samples * max(int(np.asarray(s.target).size) for s in probes) if probes else None,
        load_seconds=samples * seconds / len(probes) if probes else None,
        predict_seconds=predict_seconds,
        journal=journal,
        done=done,
    )


def _probe(prepared: Prepared) -> tuple[list[Sample], float]:
    ids = prepared.plan.ids
    chosen = sorted({round(i * (len(ids) - 1) / (_PROBES - 1)) for i in range(_PROBES)})
    loaded = []
    start = time.perf_counter()
    for index in chosen:
        try:
            loaded.append(prepared.source.load(ids[index]))
        except SampleError:
            continue  # the run will record it; here it only lacks a size
    return loaded, time.perf_counter() - start


def _bytes(sample: Sample) -> int:
    values = [*sample.inputs.values(), sample.target]
    return sum(v.nbytes if isinstance(v, np.ndarray) else len(repr(v)) for v in values)


def _progress_of(prepared: Prepared, options: RunOptions) -> tuple[Path | None, int, float | None]:
    journal = folders.open_unfinished(options.results, prepared.key)
    if journal is None:
        return None, 0, None
    with journal:
        finished = journal.done()
        done = sum(len(ids) for index, ids in enumerate(prepared.plan.batches) if index in finished)
        spent = sum(timing.predict_seconds for timing in journal.timings())
        left = spent / done * (len(prepared.plan.ids) - done) if done else None
        return journal.path, done, left
