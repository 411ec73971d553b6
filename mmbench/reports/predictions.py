"""Writes a run's predictions as label PNGs that ``predictions:DIR`` reads back, and the worst as one picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmbench.conditions.applied import changed
from mmbench.core.errors import LoadError, UsageError
from mmbench.core.metric import TaskContext, metric_named
from mmbench.core.prediction import LabelMap
from mmbench.core.table import Ragged
from mmbench.metrics.rows import Rows
from mmbench.reports.sheet import contact_sheet
from mmbench.runner.journal import Journal
from mmbench.runner.suites import OpenedSuite
from mmbench.store import JOURNAL, StoredRun, load_rows

WORST = "worst.png"
_SHOWN = 8


def save_predictions(folder: Path, run: StoredRun, suite: OpenedSuite) -> Path | None:
    """Writes ``<id>.png`` (8 or 16 bit grey, the value is the class) of every scored sample, and ``worst.png``.

    A slash in an id makes a subfolder. The file of a sample that failed is removed, so that none of another run stands
    in its place. Returns the picture's path, None where a sample's own file has that name. Raises UsageError when the
    folder cannot be written, LoadError for an id that leads out of it.
    """
    scores = worst(load_rows(run.folder, run.record), run.record.primary, suite.context)
    kept: dict[str, LabelMap] = {}
    try:
        for failure in run.record.failures:
            _file(folder, failure.id).unlink(missing_ok=True)
        with Journal(run.folder / JOURNAL) as journal:
            for prediction in journal.predictions():
                if not isinstance(prediction, LabelMap):
                    raise UsageError(
                        f"--save-predictions writes label images, and suite {suite.spec.name!r} has none; leave it out."
                    )
                _write(_file(folder, prediction.sample_id), prediction.labels)
                if prediction.sample_id in scores:
                    kept[prediction.sample_id] = prediction
        return _show(folder / WORST, suite, kept, scores, run.record.primary) if scores else None
    except OSError as error:
        raise UsageError(
            f"The predictions cannot be written to {folder} ({error.strerror or error}); choose another folder with "
            "--save-predictions."
        ) from error


def worst(rows: Rows, primary: str, context: TaskContext) -> dict[str, float]:
    """The at most eight samples with the worst score of their own in the primary metric, the worst first.

    A sample whose score is undefined is left out; equal scores keep the order of the rows.
    """
    metric = metric_named(primary)
    table = rows.values[metric.statistic]
    if metric.kind != "sums" or isinstance(table, Ragged):
        raise UsageError(f"The samples have no {primary} of their own, so there are no worst ones to show.")
    values = metric.value(table.astype(np.float64), context)
    values = values if values.ndim == 1 else np.nanmean(values, axis=1)
    order = np.argsort(values if metric.direction == "higher" else -values, kind="stable")
    defined = [index for index in order if not np.isnan(values[index])]
    return {rows.ids[index]: float(values[index]) for index in defined[:_SHOWN]}


def _show(
    file: Path, suite: OpenedSuite, predictions: dict[str, LabelMap], scores: dict[str, float], metric: str
) -> Path | None:
    if file.with_suffix("").name in suite.source.ids:
        return None
    samples = [changed(suite.source.load(sample_id), suite.conditions) for sample_id in scores]
    modalities = {name: suite.source.modalities[name] for name in suite.spec.modalities}
    captions = {sample_id: f"{metric} {score:.3f}" for sample_id, score in scores.items()}
    contact_sheet(samples, modalities, suite.source.classes, suite.source.ignore, predictions, captions).save(file)
    return file


def _file(folder: Path, sample_id: str) -> Path:
    """The file of a sample; ids come from data, so that a path out of the folder is refused."""
    root = folder.resolve()
    try:
        file = (root / f"{sample_id}.png").resolve()
    except ValueError as error:  # a NUL in the id
        raise LoadError(f"The sample id {sample_id!r} cannot be a file name; its prediction is not written.") from error
    if not file.is_relative_to(root):
        raise LoadError(f"The sample id {sample_id!r} leads out of {folder}; its prediction is not written.")
    return file


def _write(file: Path, labels: NDArray[np.integer]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(labels.astype(np.uint8 if labels.dtype == np.uint8 else np.uint16)).save(file)
