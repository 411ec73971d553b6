"""The finished cells of a study on disk, found again by their key: a killed study goes on where it was."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from mmbench.core.errors import UsageError
from mmbench.core.record import RunRecord
from mmbench.metrics.rows import Rows
from mmbench.store import RECORD, StoredRun, load_record, load_rows, save_rows, save_run
from mmbench.study.facts import CellFacts, facts_of

WEIGHTS = "weights.safetensors"


@dataclass(frozen=True, slots=True, eq=False)
class Finished:
    """A cell that was trained and measured."""

    run: StoredRun
    facts: CellFacts
    rows: Rows


def find(folder: Path, key: str) -> Finished | None:
    """The finished cell with this key; raises LoadError when it is damaged."""
    place = place_of(folder, key)
    if place is None:
        return None
    record = load_record(place)
    return Finished(StoredRun(place, record), facts_of(record), load_rows(place, record))


def place_of(folder: Path, key: str) -> Path | None:
    """The folder of the finished cell with this key."""
    return next((place for place in sorted(folder.glob(f"*-{key}")) if (place / RECORD).is_file()), None)


def new(folder: Path, key: str, names: Sequence[str], now: datetime) -> Path:
    """The folder ``<utc>-<name>-...-<key>`` of a cell; one that was left unfinished is taken up."""
    left = [place for place in sorted(folder.glob(f"*-{key}")) if not (place / RECORD).exists()]
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    safe = (re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.") for name in names)
    place = left[0] if left else folder / "-".join((stamp, *safe, key))
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{place} cannot be made ({error.strerror}); choose another folder with -o.") from error
    return place


def save(place: Path, record: RunRecord, rows: Rows) -> Finished:
    """Stores a cell, and fills in the id and the rows file of its record. With the record it counts as finished."""
    stored = save_run(place, record.model_copy(update={"id": place.name, "rows": save_rows(place, rows)}))
    return Finished(stored, facts_of(stored.record), rows)
