"""Results on disk: whole or not at all, found again, and never taken for what they are not."""

from __future__ import annotations

import json
import os
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from mmbench.core.errors import LoadError, NothingMeasured, UsageError
from mmbench.metrics.rows import Rows
from mmbench.store import StoredRun, find_runs, load_record, load_rows, resolve_run, save_rows, save_run

BUILD = SimpleNamespace(**runpy.run_path(str(Path(__file__).parent / "reports" / "records.py")))
ROWS = Rows(("a", "b"), ("g", "g"), ({"light": "day"}, {}), {"confusion": np.arange(18, dtype=np.int64).reshape(2, 9)})


@pytest.fixture
def stored(tmp_path):
    """A stored run: ``stored(name of the folder, **fields of the record)``."""

    def make(name: str = "20250101T000001Z-seg-concat-aaaaaa", **fields) -> StoredRun:
        folder = tmp_path / "results" / name
        folder.mkdir(parents=True)
        return save_run(folder, BUILD.run(rows=save_rows(folder, ROWS), **fields))

    return make


def edit(run: StoredRun, **changes) -> None:
    file = run.folder / "record.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changes))


def test_what_is_saved_is_what_is_loaded(stored):
    run = stored()
    assert load_record(run.folder) == load_record(run.folder / "record.json") == run.record
    rows = load_rows(run.folder, run.record)
    assert (rows.ids, rows.groups, rows.tags) == (ROWS.ids, ROWS.groups, ROWS.tags)
    assert np.array_equal(rows.values["confusion"], ROWS.values["confusion"])
    assert {file.name for file in run.folder.iterdir()} == {"record.json", "rows.npz"}


def test_a_name_that_is_not_utf8_is_kept(stored):
    """Linux file names are bytes; Python shows what it cannot decode as lone surrogates."""
    run = stored(model={"name": os.fsdecode(b"m\xff.ckpt")})
    assert load_record(run.folder).model.name == os.fsdecode(b"m\xff.ckpt")


def test_a_write_that_fails_leaves_no_record(stored, tmp_path, monkeypatch):
    """A run is finished where record.json is: it must not appear before its content is safe."""

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        stored("full")
    assert not list((tmp_path / "results" / "full").glob("r*"))


def test_runs_are_found_once_at_any_depth(stored, tmp_path):
    runs = [stored("b"), stored("deeper/a")]
    results = tmp_path / "results"
    found = find_runs([runs[1].folder, results, results / "b" / "record.json"])
    assert [run.folder.name for run in found] == ["a", "b"]


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_no_run_is_an_error(tmp_path, name):
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingMeasured, match="give the folder of a run"):
        find_runs([tmp_path / name])


def test_a_run_is_named_by_the_end_of_its_folder(stored, tmp_path):
    run = stored("20250101T000001Z-seg-concat-aaaaaa")
    stored("20250101T000002Z-seg-late-bbbbbb")
    results = tmp_path / "results"
    assert resolve_run("aaaaaa", results).folder == run.folder
    assert resolve_run(str(run.folder), tmp_path).folder == run.folder
    with pytest.raises(UsageError, match=r"no run 'cccccc' .* \(latest: .*bbbbbb\)"):
        resolve_run("cccccc", results)
    with pytest.raises(UsageError, match="means 2 runs"):
        resolve_run(str(results), results)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"schema": 2}, "has schema 2, this mmbench reads up to 1; it was written by a newer version"),
        ({"schema": "one"}, "is not a record of mmbench"),
        ({"status": "good"}, "is damaged .*status"),
        ({"extra": 1}, "is damaged .*extra: unknown key"),
    ],
)
def test_a_record_that_is_not_ours_is_refused(stored, changes, message):
    run = stored()
    edit(run, **changes)
    with pytest.raises(LoadError, match=message):
        load_record(run.folder)


def test_half_a_record_is_refused(stored):
    file = stored().folder / "record.json"
    file.write_text(file.read_text()[:-40])
    with pytest.raises(LoadError, match="is not JSON"):
        load_record(file)


def test_rows_of_another_run_are_refused(stored):
    run = stored()
    Rows(("z",), ("z",), ({},), {"confusion": np.zeros((1, 9), np.int64)}).save(run.folder / "rows.npz")
    with pytest.raises(LoadError, match="SHA-256 differs"):
        load_rows(run.folder, run.record)
    (run.folder / "rows.npz").unlink()
    with pytest.raises(LoadError, match="are missing"):
        load_rows(run.folder, run.record)


def test_rows_elsewhere_are_refused(stored):
    """A stranger's record must not make us read another file."""
    run = stored()
    edit(run, rows={"file": "../../secret.npz", "sha256": "0" * 64})
    with pytest.raises(LoadError, match="expected a file beside it"):
        load_rows(run.folder, load_record(run.folder))
