"""The journal: what goes in comes out, a batch whole or not at all, one writer, a sentence for every broken file."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from mmbench.core.errors import LoadError, UsageError
from mmbench.core.prediction import LabelMap
from mmbench.core.record import Failure
from mmbench.runner.journal import BatchResult, Entry, Journal, Timing


def entry(sample_id="a", labels=((0, 1),), statistics=(1, 2, 3), **fields):
    prediction = LabelMap(sample_id, np.array(labels, dtype=np.uint8))
    known = {"digest": "d", "group": sample_id, "tags": {}, "prediction": prediction}
    return Entry(**{**known, **fields}, id=sample_id, statistics=np.array(statistics, dtype=np.int64))


def batch(index, *ids, failures=()):
    return BatchResult(index, tuple(entry(i) for i in ids), tuple(failures), 0.5, 1.5)


@settings(max_examples=40, deadline=None)
@given(
    sample_id=st.text(min_size=1).filter(lambda t: t.isprintable()),
    tags=st.dictionaries(st.text(max_size=4).filter(str.isprintable), st.text(max_size=4).filter(str.isprintable)),
    labels=arrays.arrays(st.sampled_from([np.uint8, np.int16]), st.tuples(st.integers(0, 9), st.integers(0, 9))),
    row=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=9),
)
def test_what_goes_in_comes_out(tmp_path_factory, sample_id, tags, labels, row):
    """Ids, tags, label maps of every shape and integers of every size survive."""
    path = tmp_path_factory.mktemp("journal") / "j.sqlite"
    written = entry(sample_id, statistics=row, tags=tags, prediction=LabelMap(sample_id, labels))
    with Journal.create(path, {}) as journal:
        journal.write(BatchResult(0, (written,), (), 0.0, 0.0))
    with Journal(path) as journal:
        (found,) = journal.entries()
        (prediction,) = journal.predictions()
    assert (found.id, found.tags, found.digest, found.group) == (sample_id, tags, "d", sample_id)
    assert found.statistics.dtype == np.int64
    assert found.statistics.tolist() == row
    assert prediction.sample_id == sample_id
    assert prediction.labels.dtype == labels.dtype
    np.testing.assert_array_equal(prediction.labels, labels)


def test_entries_come_in_the_order_of_the_plan(tmp_path):
    """Whatever the order in which batches were written."""
    with Journal.create(tmp_path / "j.sqlite", {"resume_key": "k"}) as journal:
        journal.write(batch(1, "c", "b"))
        journal.write(batch(0, "z", failures=[Failure(id="y", reason="broken")]))
        assert [e.id for e in journal.entries()] == ["z", "c", "b"]
        assert [p.sample_id for p in journal.predictions()] == ["z", "c", "b"]
        assert journal.failures() == [Failure(id="y", reason="broken")]
        assert journal.timings() == [Timing(1, 0.5, 1.5), Timing(2, 0.5, 1.5)]
        assert journal.done() == {0, 1}
        assert journal.meta == {"resume_key": "k", "schema": "2"}


def test_batch_is_written_whole_or_not_at_all(tmp_path):
    """The second writing of batch 0 fails at its last statement; nothing of it stays."""
    with Journal.create(tmp_path / "j.sqlite", {}) as journal:
        journal._connection.execute("INSERT INTO batches VALUES (0, 0, 0, 0)")
        with pytest.raises(sqlite3.IntegrityError):
            journal.write(batch(0, "a", "b", failures=[Failure(id="c", reason="r")]))
        assert list(journal.entries()) == journal.failures() == []
        journal.write(batch(1, "a"))
        assert [e.id for e in journal.entries()] == ["a"]


def test_batch_is_not_written_when_the_user_stops(tmp_path):
    """Ctrl-C in the middle of a transaction rolls it back."""

    def stop(journal):
        with journal._transaction():
            journal._connection.execute("INSERT INTO batches VALUES (0, 0, 0, 0)")
            raise KeyboardInterrupt

    with Journal.create(tmp_path / "j.sqlite", {}) as journal:
        with pytest.raises(KeyboardInterrupt):
            stop(journal)
        assert journal.done() == set()


def test_second_process_gets_a_sentence(tmp_path):
    """One writer; the lock is released when the first one ends."""
    path = tmp_path / "j.sqlite"
    code = "import sys, pathlib; from mmbench.runner.journal import Journal; Journal(pathlib.Path(sys.argv[1])).close()"
    command = [sys.executable, "-c", code, str(path)]
    with Journal.create(path, {}):
        second = subprocess.run(command, capture_output=True, text=True)
        assert "UsageError: Another process is doing this run" in second.stderr
        assert "--fresh" in second.stderr
    assert subprocess.run(command, capture_output=True).returncode == 0


def test_journal_in_this_process_is_locked_too(tmp_path):
    with Journal.create(tmp_path / "j.sqlite", {}), pytest.raises(UsageError, match="Another process"):
        Journal(tmp_path / "j.sqlite")


def test_damaged_journal_is_a_sentence(tmp_path):
    (tmp_path / "j.sqlite").write_bytes(b"not a database" * 400)
    with pytest.raises(LoadError, match=r"j\.sqlite is damaged .* --fresh"):
        Journal(tmp_path / "j.sqlite")


def test_journal_without_its_folder_is_a_sentence(tmp_path):
    with pytest.raises(LoadError, match="cannot be used"):
        Journal(tmp_path / "missing" / "j.sqlite")


def test_journal_of_a_process_that_died_at_once_has_no_meta(tmp_path):
    (tmp_path / "j.sqlite").touch()
    with Journal(tmp_path / "j.sqlite") as journal:
        assert journal.meta == {}


def test_entry_without_prediction_is_our_bug(tmp_path):
    with Journal.create(tmp_path / "j.sqlite", {}) as journal, pytest.raises(ValueError, match="no prediction"):
        journal.write(BatchResult(0, (entry(prediction=None),), (), 0.0, 0.0))
