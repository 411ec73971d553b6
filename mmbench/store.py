"""Results on disk: a run is a folder with ``record.json``, ``rows.npz`` and the journal it was scored from.

A file appears whole or not at all (temporary name, fsync, rename). ``record.json`` comes last: where it is, the run is
finished.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mmbench.content import explain
from mmbench.core.errors import LoadError, NothingMeasured, UsageError
from mmbench.core.record import RowsFile, RunRecord
from mmbench.metrics.rows import Rows

RECORD = "record.json"
ROWS = "rows.npz"
JOURNAL = "journal.sqlite"
SCHEMA = 1


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A finished run on disk."""

    folder: Path
    record: RunRecord

    @property
    def name(self) -> str:
        """The name of the folder."""
        return self.folder.resolve().name


def save_rows(folder: Path, rows: Rows) -> RowsFile:
    """Writes ``rows.npz`` and returns what the record says of it."""
    _replace(folder / ROWS, rows.save)
    return RowsFile(file=ROWS, sha256=_sha256(folder / ROWS))


def save_run(folder: Path, record: RunRecord) -> StoredRun:
    """Writes ``record.json``, which makes the run a finished one; its rows must be there already (``save_rows``)."""
    text = json.dumps(record.model_dump(mode="json"), indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    # A file name that is not UTF-8 holds lone surrogates; as \udcxx they are JSON and are read back as they were.
    _replace(folder / RECORD, lambda file: file.write_text(text, encoding="utf-8", errors="backslashreplace"))
    return StoredRun(folder, record)


def load_record(path: Path) -> RunRecord:
    """Reads a record (the file or the run's folder); raises LoadError when it is broken, foreign or too new."""
    file = path / RECORD if path.is_dir() else path
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise LoadError(f"The record {file} cannot be read ({error.strerror}); give the folder of a run.") from error
    except ValueError as error:
        raise LoadError(f"The record {file} is not JSON ({error}); it was damaged, measure again.") from error
    _check_schema(file, content)
    try:
        return RunRecord.model_validate(content)
    except ValidationError as error:
        raise LoadError(f"The record {file} is damaged ({explain(error)}); measure again.") from error


def find_runs(paths: Iterable[Path]) -> list[StoredRun]:
    """The finished runs at and under ``paths`` (a run's folder, a folder of runs at any depth, a record.json).

    In the order of ``paths``, then by folder name; a run that is found twice is listed once. Raises NothingMeasured
    when a path does not exist or holds no record, LoadError for a record that cannot be read.
    """
    found: dict[Path, StoredRun] = {}
    for path in paths:
        files = [path] if path.is_file() else sorted(path.rglob(RECORD)) if path.is_dir() else []
        if not files:
            what = "holds no record.json" if path.exists() else "does not exist"
            raise NothingMeasured(f"{path} {what}; give the folder of a run or of several runs, such as ./results.")
        for file in files:
            if file.resolve() not in found:
                found[file.resolve()] = StoredRun(file.parent, load_record(file))
    return list(found.values())


def load_rows(folder: Path, record: RunRecord) -> Rows:
    """The per-sample statistics of a run; raises LoadError unless the file is the one that the record speaks of."""
    file = folder / record.rows.file
    if file.name != record.rows.file:
        raise LoadError(f"The record of {folder} names the rows {record.rows.file!r}; expected a file beside it.")
    if not file.is_file():
        raise LoadError(f"The rows {file} are missing; copy the whole folder of the run, or measure again.")
    if _sha256(file) != record.rows.sha256:
        raise LoadError(f"The rows {file} are not those of its record (SHA-256 differs); measure again.")
    return Rows.load(file)


def resolve_run(text: str, results: Path) -> StoredRun:
    """RUN on the command line: a path, or the end of the folder name of exactly one run under ``results``.

    Raises UsageError when no run or several fit.
    """
    if Path(text).exists():
        return _only(text, find_runs([Path(text)]))
    runs = find_runs([results]) if results.is_dir() and any(results.rglob(RECORD)) else []
    fitting = [run for run in runs if run.name.endswith(text)] if text else []
    if not fitting:
        known = ", ".join(run.name for run in runs[-3:]) or "none"
        raise UsageError(f"There is no run {text!r} in {results}; give a path or the end of a name (latest: {known}).")
    return _only(text, fitting)


def _only(text: str, runs: list[StoredRun]) -> StoredRun:
    if len(runs) > 1:
        names = ", ".join(run.name for run in runs[:3]) + (", ..." if len(runs) > 3 else "")
        raise UsageError(f"{text!r} means {len(runs)} runs ({names}); name one of them.")
    return runs[0]


def _check_schema(file: Path, content: Any) -> None:
    schema = content.get("schema") if isinstance(content, dict) else None
    if not isinstance(schema, int) or isinstance(schema, bool) or schema < 1:
        raise LoadError(f"{file} is not a record of mmbench; give the folder of a run.")
    if schema > SCHEMA:
        raise LoadError(
            f"The record {file} has schema {schema}, this mmbench reads up to {SCHEMA}; it was written by a newer "
            "version, update mmbench."
        )


def _replace(target: Path, write: Callable[[Path], object]) -> None:
    # The suffix stays: numpy appends .npz to names that lack it.
    temporary = target.with_name(f".writing-{target.name}")
    write(temporary)
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(target)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
