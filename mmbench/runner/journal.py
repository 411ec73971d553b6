"""The journal of a run: every batch that was predicted, whole or not at all, so that a killed run loses nothing.

One SQLite file. WAL with synchronous=NORMAL survives the death of the process at any instruction; power loss is not
promised. The exclusive locking mode of SQLite is the lock: it holds while the journal is open and the system releases
it when the process dies.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mmbench.core.errors import LoadError, MmbenchError, UsageError
from mmbench.core.metric import Ints
from mmbench.core.prediction import KINDS, Prediction
from mmbench.core.record import Failure

SCHEMA = "2"
_TABLES = (
    "CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE batches (batch INTEGER PRIMARY KEY, items INTEGER, predict_seconds REAL, seconds REAL)",
    "CREATE TABLE samples (batch INTEGER, position INTEGER, id TEXT, digest TEXT, unit TEXT, tags TEXT, kind TEXT, "
    "prediction BLOB, statistics BLOB, PRIMARY KEY (batch, position))",
    "CREATE TABLE failures (batch INTEGER, position INTEGER, id TEXT, reason TEXT, PRIMARY KEY (batch, position))",
    "CREATE TABLE sub_batches (batch INTEGER PRIMARY KEY, items INTEGER)",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A scored sample: the digest of its content, its unit of resampling, its slices, prediction and statistics.

    ``statistics`` is int64 [k]: the rows of all statistics of the run, one after the other. ``prediction`` is None when
    it was not asked for.
    """

    id: str
    digest: str
    group: str
    tags: Mapping[str, str]
    prediction: Prediction | None
    statistics: Ints


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What one batch of the plan came to: seconds in the model, and in all with loading and scoring.

    ``sub_batch`` is how many items went through the model at once where memory did not hold the batch.
    """

    index: int
    entries: tuple[Entry, ...]
    failures: tuple[Failure, ...]
    predict_seconds: float
    seconds: float
    sub_batch: int | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """One journalled batch: the number of its scored items, and its seconds."""

    items: int
    predict_seconds: float
    seconds: float


class Journal:
    """An open journal; the only one on its file. Use it in one thread, and close it."""

    def __init__(self, path: Path) -> None:
        """Opens and locks the file; raises UsageError when another process has it, LoadError when it is damaged."""
        self.path = path
        with self._explained():
            self._connection = sqlite3.connect(path, timeout=0, isolation_level=None)
            try:
                self._connection.execute("PRAGMA locking_mode=EXCLUSIVE")
                self._connection.execute("PRAGMA journal_mode=WAL")
                self._connection.execute("PRAGMA synchronous=NORMAL")
                with self._transaction():
                    pass
            except sqlite3.Error:
                self._connection.close()
                raise

    @classmethod
    def create(cls, path: Path, meta: Mapping[str, str]) -> Journal:
        """A new journal that holds ``meta``; tables and meta appear together or not at all."""
        journal = cls(path)
        with journal._explained(), journal._transaction():
            for table in _TABLES:
                journal._connection.execute(table)
            rows = {**meta, "schema": SCHEMA}.items()
            journal._connection.executemany("INSERT INTO meta VALUES (?, ?)", rows)
        return journal

    @property
    def meta(self) -> dict[str, str]:
        """What the journal was created with, and ``schema``; empty when the process died while creating it."""
        with self._explained():
            known = self._connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone()
            return dict(self._connection.execute("SELECT name, value FROM meta")) if known else {}

    def done(self) -> set[int]:
        """The batches that are in the journal."""
        with self._explained():
            return {index for (index,) in self._connection.execute("SELECT batch FROM batches")}

    def write(self, result: BatchResult) -> None:
        """Adds a batch in one transaction."""
        at = result.index
        samples = [(at, position, *_encoded(entry)) for position, entry in enumerate(result.entries)]
        failures = [(at, position, f.id, f.reason) for position, f in enumerate(result.failures)]
        timing = (at, len(samples), result.predict_seconds, result.seconds)
        with self._explained(), self._transaction():
            self._connection.executemany("INSERT INTO samples VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", samples)
            self._connection.executemany("INSERT INTO failures VALUES (?, ?, ?, ?)", failures)
            self._connection.execute("INSERT INTO batches VALUES (?, ?, ?, ?)", timing)
            if result.sub_batch is not None:
                self._connection.execute("INSERT INTO sub_batches VALUES (?, ?)", (at, result.sub_batch))

    def entries(self) -> Iterator[Entry]:
        """The scored samples in the order of the plan, without their predictions."""
        query = "SELECT id, digest, unit, tags, statistics FROM samples ORDER BY batch, position"
        with self._explained():
            for sample_id, digest, group, tags, statistics in self._connection.execute(query):
                yield Entry(sample_id, digest, group, json.loads(tags), None, _decoded(statistics))

    def predictions(self) -> Iterator[Prediction]:
        """The predictions in the order of the plan."""
        with self._explained():
            query = "SELECT id, kind, prediction FROM samples ORDER BY batch, position"
            for sample_id, kind, payload in self._connection.execute(query):
                yield KINDS[kind].decode(sample_id, payload)

    def failures(self) -> list[Failure]:
        """The samples that failed, in the order of the plan's batches."""
        with self._explained():
            query = "SELECT id, reason FROM failures ORDER BY batch, position"
            return [Failure(id=sample_id, reason=reason) for sample_id, reason in self._connection.execute(query)]

    def sub_batches(self) -> list[int]:
        """Of the batches that memory did not hold: how many items went through the model at once."""
        with self._explained():
            return [items for (items,) in self._connection.execute("SELECT items FROM sub_batches ORDER BY batch")]

    def timings(self) -> list[Timing]:
        """The batches' timings in the order of the plan."""
        with self._explained():
            query = "SELECT items, predict_seconds, seconds FROM batches ORDER BY batch"
            return [Timing(*row) for row in self._connection.execute(query)]

    def close(self) -> None:
        """Moves the write-ahead log into the file and releases the lock."""
        self._connection.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield
            self._connection.execute("COMMIT")
        except BaseException:
            with suppress(sqlite3.Error):  # the first failure is the one to report
                self._connection.execute("ROLLBACK")
            raise

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (sqlite3.IntegrityError, sqlite3.ProgrammingError):
            raise  # our bug, not a broken file
        except sqlite3.DatabaseError as error:
            raise _explain(self.path, error) from error


def _explain(path: Path, error: sqlite3.DatabaseError) -> MmbenchError:
    if getattr(error, "sqlite_errorcode", None) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return UsageError(
            f"Another process is doing this run (it holds {path}); wait until it has ended, or start a second one with "
            "--fresh."
        )
    if isinstance(error, sqlite3.OperationalError):
        return LoadError(f"The journal {path} cannot be used ({error}); check space and permissions of its folder.")
    return LoadError(f"The journal {path} is damaged ({error}); start anew with --fresh.")


def _encoded(entry: Entry) -> Sequence[str | bytes]:
    if entry.prediction is None:
        raise ValueError(f"the entry of {entry.id!r} has no prediction to journal")
    tags = json.dumps(dict(entry.tags), sort_keys=True, ensure_ascii=False)
    statistics = zlib.compress(entry.statistics.astype("<i8").tobytes(), 1)
    prediction = entry.prediction
    return entry.id, entry.digest, entry.group, tags, prediction.kind, prediction.encode(), statistics


def _decoded(payload: bytes) -> Ints:
    return np.frombuffer(zlib.decompress(payload), dtype="<i8").astype(np.int64)
