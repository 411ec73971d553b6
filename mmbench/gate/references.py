"""References: a run that was accepted, kept as record and rows in a folder meant for git."""

from __future__ import annotations

import re
import shutil
from datetime import date
from pathlib import Path

from mmbench.core.errors import SampleError, UsageError
from mmbench.core.record import RunRecord
from mmbench.store import RECORD, ROWS, StoredRun, load_rows, save_run

_ACCEPTED = "accepted"


def is_reference(record: RunRecord) -> bool:
    """Whether the record was written by ``accept``."""
    return _ACCEPTED in record.provenance


def accept(run: StoredRun, folder: Path, today: date, reason: str = "") -> StoredRun:
    """Writes the run's record and rows to a folder of its own under ``folder``; no journal, no predictions.

    The name is that of the suite and the model, so that a new reference takes the place of the old one. Raises
    SampleError for a run with failed samples, LoadError for damaged rows.
    """
    record = run.record
    if record.status != "ok" or record.counts.failed:
        raise SampleError(f"{record.counts.failed} samples of {record.id} failed; a reference must be a whole run.")
    load_rows(run.folder, record)
    place = folder / _name(record)
    note = {"on": today.isoformat(), **({"reason": reason} if reason else {})}
    accepted = record.model_copy(update={"provenance": record.provenance | {_ACCEPTED: note}})
    try:
        place.mkdir(parents=True, exist_ok=True)
        # The record goes first: with the new rows beside the old record the folder would be a damaged run.
        (place / RECORD).unlink(missing_ok=True)
        if place.resolve() != run.folder.resolve():
            shutil.copyfile(run.folder / record.rows.file, place / ROWS)
        return save_run(place, accepted.model_copy(update={"rows": record.rows.model_copy(update={"file": ROWS})}))
    except OSError as error:
        raise UsageError(f"{place} cannot be written ({error.strerror}); choose another -o.") from error


def _name(record: RunRecord) -> str:
    text = f"{record.suite}-{record.condition}-{record.model.name}" if record.condition != "clean" else ""
    return re.sub(r"[^A-Za-z0-9._=+-]+", "_", text or f"{record.suite}-{record.model.name}")
