"""Run folders: named by time, suite, model and key; an unfinished one is found by its key alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

import pytest

from mmbench.core.errors import UsageError
from mmbench.runner.folders import create, open_unfinished

KEY = "0123456789abcdef0123456789abcdef"
OTHER = "0123456789abcdefffffffffffffffff"
NOON = datetime(2026, 3, 1, 12, 0, 5, tzinfo=UTC)


def _create(results, key=KEY, names=("seg", "concat"), now=NOON):
    with create(results, key, names, now, {}) as journal:
        return journal.path.parent


def test_name_says_when_what_and_who(tmp_path):
    assert _create(tmp_path / "new" / "results").name == "20260301T120005Z-seg-concat-012345"


def test_time_is_utc(tmp_path):
    local = NOON.astimezone(timezone(timedelta(hours=5)))
    assert _create(tmp_path, now=local).name.startswith("20260301T120005Z")


@pytest.mark.parametrize("name", ["../../etc", "a b/c:d", "模型", "", "-rf", ".hidden", "x" * 300, "new\nline"])
def test_name_of_a_model_is_made_safe(tmp_path, name):
    """A name comes from a file or from data: no separator, no blank, not endless, never empty."""
    folder = _create(tmp_path, names=("seg", name))
    assert folder.parent == tmp_path
    assert re.fullmatch(r"20260301T120005Z-seg-[A-Za-z0-9_][A-Za-z0-9._-]{0,39}-012345", folder.name)


def test_same_run_twice_in_one_second_gets_two_folders(tmp_path):
    first, second = _create(tmp_path), _create(tmp_path)
    assert (first.name[-6:], second.name[-6:]) == ("012345", "6789ab")


def test_too_many_in_one_second_is_a_sentence(tmp_path):
    for _ in range(5):
        _create(tmp_path)
    with pytest.raises(UsageError, match="already holds 5 runs"):
        _create(tmp_path)


def test_unfinished_run_is_found_by_its_key(tmp_path):
    folder = _create(tmp_path)
    with open_unfinished(tmp_path, KEY) as journal:
        assert journal.path.parent == folder


def test_second_folder_of_a_second_is_found_too(tmp_path):
    (_create(tmp_path) / "record.json").touch()
    second = _create(tmp_path)
    with open_unfinished(tmp_path, KEY) as journal:
        assert journal.path.parent == second


def test_latest_unfinished_run_is_taken(tmp_path):
    _create(tmp_path)
    later = _create(tmp_path, now=NOON + timedelta(days=1))
    with open_unfinished(tmp_path, KEY) as journal:
        assert journal.path.parent == later


def test_finished_and_foreign_runs_are_not_taken(tmp_path):
    """A record ends a run; equal six digits are not an equal key; a folder without a journal is none of ours."""
    (_create(tmp_path) / "record.json").touch()
    _create(tmp_path, key=OTHER, now=NOON + timedelta(1))
    (tmp_path / "notes-012345").mkdir()
    assert open_unfinished(tmp_path, KEY) is None
    assert open_unfinished(tmp_path / "missing", KEY) is None


def test_run_that_another_process_does_is_not_taken(tmp_path):
    with (
        create(tmp_path, KEY, ("seg", "concat"), NOON, {}),
        pytest.raises(UsageError, match="Another process is doing this run"),
    ):
        open_unfinished(tmp_path, KEY)


def test_results_that_cannot_be_made_is_a_sentence(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"cannot be made .* -o"):
        _create(tmp_path / "file" / "results")
