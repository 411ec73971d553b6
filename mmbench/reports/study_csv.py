"""The cells of a study as CSV: one file that is the same bytes for the same study, and one of what the clock said."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from mmbench.core.key import digest_of
from mmbench.reports.csv import cell
from mmbench.stats.tuning import expected_best
from mmbench.study.cells import Finished
from mmbench.study.execute import Done
from mmbench.study.sizing import Size

# What identifies a cell in both files.
_IDENTITY = ("suite", "origin", "track", "strategy", "control", "seed", "share")


def cells_csv(found: Iterable[Done]) -> str:
    """A line per cell (public interface). The same seeds, machine and thread count give the same bytes.

    ``share`` is in per cent of the training split; with an ``origin`` (the suite that all but the head was trained on)
    it is the number of labels.
    ``data``, ``split`` and ``encoders`` are digests of the test samples, of the samples trained and validated on, and
    of the encoders; ``n`` the test samples in ``groups``; ``low`` and ``high`` are over test samples alone.
    ``sizing`` says how a strategy's ``fusion_parameters`` came from its ``native_fusion_parameters``: native, tuned,
    matched (within 5 % of those of concat), nearest (no width comes so near), unmatched (there is no width to solve
    for); both are empty for a control.
    """
    return _written([_cell(cell, one.sizes.get(cell.facts.strategy)) for one in found for cell in one.finished])


def timings_csv(found: Iterable[Done]) -> str:
    """A line per cell: seconds of its training, milliseconds per item in the model, peak memory in MiB."""
    return _written([_timing(cell) for one in found for cell in one.finished])


def tuning_csv(found: Iterable[Done]) -> str:
    """A line per strategy and trial: its validation score, and the expected best of so many trials (Dodge 2019).

    A trial that failed has no score, and its strategy no expected best.
    """
    lines = []
    for one in found:
        for name, tuned in one.tuned.items():
            known = [score for score in tuned.scores if score is not None]
            for index, score in enumerate(tuned.scores):
                best = None if len(known) < len(tuned.scores) else expected_best(known, index + 1)
                where = {"suite": one.place.suite, "track": one.place.track, "strategy": name}
                lines.append({**where, "trials": index + 1, "validation": score, "expected_best": best})
    return _written(lines)


def _written(lines: Sequence[dict[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if lines:
        writer.writerow(list(lines[0]))
    writer.writerows([cell(value) for value in line.values()] for line in lines)
    return text.getvalue()


def _identity(one: Finished) -> dict[str, Any]:
    facts = one.facts
    values = (
        one.run.record.suite, facts.origin, facts.track, facts.strategy, facts.control, facts.seed, facts.share,
    )  # fmt: skip
    return dict(zip(_IDENTITY, values, strict=True))


def _cell(one: Finished, size: Size | None) -> dict[str, Any]:
    record, facts = one.run.record, one.facts
    estimate = record.estimate(record.primary)
    return {
        **_identity(one),
        "labels": facts.labels,
        "fusion": facts.fusion,
        "options": _json(facts.options),
        "metric": record.primary,
        "metric_version": None if estimate is None else estimate.version,
        "value": None if estimate is None else estimate.value,
        "low": None if estimate is None else estimate.low,
        "high": None if estimate is None else estimate.high,
        "n": record.counts.scored,
        "groups": None if estimate is None else estimate.groups,
        "validation": facts.validation,
        "best_after": facts.best_after,
        "items_seen": facts.items_seen,
        "recipe": _json(facts.recipe),
        "fusion_parameters": facts.fusion_parameters,
        "parameters": record.model.parameters,
        "weights": record.model.digest,
        "encoders": digest_of(facts.encoders),
        "data": record.key.data,
        "split": facts.split,
        "condition": record.condition,
        "device": record.execution.device,
        "precision": record.execution.precision,
        "threads": record.execution.threads,
        "mmbench": record.provenance.get("versions", {}).get("mmbench"),
        "cell": facts.cell,
        "sizing": None if size is None else size.sizing,
        "native_fusion_parameters": None if size is None else size.native,
    }


def _timing(one: Finished) -> dict[str, Any]:
    cost = one.run.record.cost
    return {
        **_identity(one),
        "train_seconds": one.facts.train_seconds,
        "ms_per_item": cost.ms_per_item,
        "peak_rss_mib": cost.peak_rss_mib,
    }


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"))
