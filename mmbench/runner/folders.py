"""The folders of runs: where a new run is put, and where its unfinished journal is found again."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from mmbench.core.errors import UsageError
from mmbench.runner.journal import Journal
from mmbench.store import JOURNAL, RECORD

KEY = "resume_key"
_LONGEST_NAME = 40
_SUFFIX = 6


def open_unfinished(results: Path, key: str) -> Journal | None:
    """The journal of the latest unfinished run with this resume key, locked; None if there is none.

    Raises UsageError when another process is doing the run.
    """
    for path in unfinished(results, key):
        journal = Journal(path)
        if journal.meta.get(KEY) == key:
            return journal
        journal.close()
    return None


def unfinished(results: Path, key: str) -> Iterator[Path]:
    """Journals without a record whose folder's name carries a part of this key, the latest first."""
    for suffix in _suffixes(key):
        for folder in sorted(results.glob(f"*-{suffix}"), reverse=True):
            if (folder / JOURNAL).is_file() and not (folder / RECORD).exists():
                yield folder / JOURNAL


def create(results: Path, key: str, names: tuple[str, str], now: datetime, meta: Mapping[str, str]) -> Journal:
    """A new folder with an empty journal; as ``new``."""
    return Journal.create(new(results, key, names, now) / JOURNAL, {**meta, KEY: key})


def new(results: Path, key: str, names: tuple[str, str], now: datetime) -> Path:
    """A new folder ``<utc>-<suite>-<model>-<6 hex>``; ``names`` are those of suite and model.

    The six digits are the first of the key that are free: the same run twice in one second gets a folder each.
    """
    stamp = now.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    start = "-".join((stamp, *(_slug(name) for name in names)))
    for suffix in _suffixes(key):
        folder = results / f"{start}-{suffix}"
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        except OSError as error:
            raise UsageError(f"{folder} cannot be made ({error.strerror}); choose another folder with -o.") from error
        return folder
    raise UsageError(f"{results} already holds {len(key) // _SUFFIX} runs {start}-*; wait a second and repeat.")


def _suffixes(key: str) -> list[str]:
    return [key[start : start + _SUFFIX] for start in range(0, len(key) - _SUFFIX + 1, _SUFFIX)]


def _slug(name: str) -> str:
    """The part of a name that is safe in a file name on every system and needs no quotes in a shell."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", name).strip("-.")[:_LONGEST_NAME].rstrip("-.") or "model"
