"""Writes a run's predictions as label PNGs that ``predictions:DIR`` reads back, and the worst as one picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from mmbench.core.errors import LoadError, UsageError
from mmbench.core.metric import TaskContext, metric_named
from mmbench.core.prediction import Prediction
from mmbench.core.record import RunRecord
from mmbench.core.source import Source
from mmbench.metrics.rows import Rows
from mmbench.reports.sheet import contact_sheet
from mmbench.runner.journal import Journal
from mmbench.store import JOURNAL, StoredRun, load_rows

WORST = "worst.png"
_SHOWN = 8


def save_predictions(folder: Path, run: StoredRun, source: Source, modalities: Sequence[str]) -> None:
    """Writes ``<id>.png`` (8 or 16 bit grey, the value is the class) for every scored sample, and ``worst.png``.

    A slash in an id makes a subfolder. The file of a sample that failed is removed, so that none of another run is left
    in its place. Raises UsageError when the folder cannot be written, LoadError for an id that leads out of it.
    """
    rows = load_rows(run.folder, run.record)
    wanted = {rows.ids[index] for index in worst(rows, run.record, TaskContext(run.record.classes, source.ignore))}
    kept: dict[str, Prediction] = {}
    try:
        for failure in run.record.failures:
            _file(folder, failure.id).unlink(missing_ok=True)
        with Journal(run.folder / JOURNAL) as journal:
            for prediction in journal.predictions():
                _write(_file(folder, prediction.sample_id), prediction.labels)
                if prediction.sample_id in wanted:
                    kept[prediction.sample_id] = prediction
        if WORST.removesuffix(".png") not in rows.ids:
            _show(folder / WORST, source, modalities, [kept[i] for i in rows.ids if i in kept])
    except OSError as error:
        raise UsageError(
            f"The predictions cannot be written to {folder} ({error.strerror or error}); choose another folder with "
            "--save-predictions."
        ) from error


def worst(rows: Rows, record: RunRecord, context: TaskContext) -> list[int]:
    """The indices of the (at most eight) samples with the worst score in the primary metric, the worst first."""
    metric = metric_named(record.primary)
    values = metric.value(rows.values[metric.statistic].astype(np.float64), context)
    if values.ndim > 1:
        values = np.nanmean(values, axis=1)
    badness = values if metric.direction == "higher" else -values
    order = np.argsort(badness, kind="stable")
    return [int(index) for index in order if np.isfinite(badness[index])][:_SHOWN]


def _file(folder: Path, sample_id: str) -> Path:
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
    small = labels.astype(np.uint8 if labels.dtype == np.uint8 else np.uint16)
    Image.fromarray(small).save(file)
