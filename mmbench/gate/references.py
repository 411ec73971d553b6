"""References: a run that was accepted, kept as record and rows in a folder meant for git."""

from __future__ import annotations

import glob
import re
import shutil
from datetime import date
from pathlib import Path

from mmbench.core.errors import SampleError, UsageError
from mmbench.core.record import RunRecord
from mmbench.reports.training_seeds import by_model, training_seed
from mmbench.store import RECORD, ROWS, StoredRun, load_record, load_rows, save_run

_ACCEPTED = "accepted"
_SEED = "-seed"


def is_reference(record: RunRecord) -> bool:
    """Whether the record was written by ``accept``."""
    return _ACCEPTED in record.provenance


def accept(runs: list[StoredRun], folder: Path, today: date, reason: str = "") -> list[StoredRun]:
    """Writes record and rows of each model's newest run (of each training seed) under ``folder``; no predictions.

    A folder is named by suite and model, so that a new reference takes the place of the old one; seeds of one name have
    theirs beside it, and take the place of all older ones. Raises SampleError for a run with failed samples, LoadError
    for damaged rows.
    """
    kept: list[StoredRun] = []
    for seeds in by_model(runs).values():
        several = len(seeds) > 1 and len({run.record.model.name for run in seeds}) == 1
        places = [folder / _name(run.record, several) for run in seeds]
        kept += [_accepted(run, place, today, reason) for run, place in zip(seeds, places, strict=True)]
        _remove_older(folder / _name(seeds[0].record), places)
    return kept


def _accepted(run: StoredRun, place: Path, today: date, reason: str) -> StoredRun:
    record = run.record
    if record.status != "ok" or record.counts.failed:
        raise SampleError(f"{record.counts.failed} samples of {record.id} failed; a reference must be a whole run.")
    load_rows(run.folder, record)
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


def _remove_older(place: Path, kept: list[Path]) -> None:
    """References of the same suite and model but other seeds: beside the new ones they would be seeds of it."""
    for older in (place, *place.parent.glob(f"{glob.escape(place.name)}{_SEED}*")):
        if older not in kept and (older / RECORD).is_file() and is_reference(load_record(older)):
            (older / RECORD).unlink()
            (older / ROWS).unlink(missing_ok=True)
            if not any(older.iterdir()):
                older.rmdir()


def _name(record: RunRecord, with_seed: bool = False) -> str:
    condition = "" if record.condition == "clean" else f"-{record.condition}"
    seed = f"{_SEED}{training_seed(record)}" if with_seed else ""
    return re.sub(r"[^A-Za-z0-9._=+-]+", "_", f"{record.suite}{condition}-{record.model.name}{seed}")
