"""A JSON file is read whole or refused in one sentence that names it and the place."""

from __future__ import annotations

import contextlib
import gc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmbench.core.errors import LoadError
from mmbench.sources.json_file import read_json


def written(folder: Path, content: bytes) -> Path:
    path = folder / "file.json"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_reads_any_unicode_encoding(tmp_path: Path, encoding: str) -> None:
    assert read_json(written(tmp_path, '{"a": ["ü"]}'.encode(encoding))) == {"a": ["ü"]}


BROKEN = {
    "truncated": (b'[{"a": 1},\n {"b"', r"'.*file\.json' is not JSON at line 2, column 6"),
    "empty": (b"", "line 1, column 1"),
    "two values": (b"[] []", "line 1, column 4 .Extra data"),
    "not UTF-8": (b'["\xff"]', "is not text in UTF-8"),
    "nested too deep": (b"[" * 200_000, "cannot be read as JSON"),
    "a number of 5,000 digits": (b"9" * 5000, "cannot be read as JSON"),
}


@pytest.mark.parametrize(("content", "message"), BROKEN.values(), ids=BROKEN)
def test_broken_files_are_explained(tmp_path: Path, content: bytes, message: str) -> None:
    with pytest.raises(LoadError, match=message):
        read_json(written(tmp_path, content))


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="is missing"):
        read_json(tmp_path / "none.json")
    with pytest.raises(LoadError, match="cannot be read"):
        read_json(tmp_path)
    with pytest.raises(LoadError, match="cannot be read"):
        read_json(Path("a\0b"))


def test_repeated_keys_are_refused_on_request(tmp_path: Path) -> None:
    """The standard library keeps the last, so that a question would vanish in silence."""
    path = written(tmp_path, b'{"q": {"1": 0, "2": 0, "1": 0}}')
    assert read_json(path) == {"q": {"1": 0, "2": 0}}
    with pytest.raises(LoadError, match="the key '1' twice"):
        read_json(path, unique_keys=True)


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_give_a_value_or_a_load_error(tmp_path_factory, content: bytes) -> None:
    path = written(tmp_path_factory.getbasetemp(), content)
    with contextlib.suppress(LoadError):
        read_json(path, unique_keys=True)


def test_collector_runs_again_after_reading(tmp_path: Path) -> None:
    """Paused while reading, also when reading fails; never started where the caller had stopped it."""
    for content in (b"[]", b"["):
        with contextlib.suppress(LoadError):
            read_json(written(tmp_path, content))
        assert gc.isenabled()
    gc.disable()
    try:
        read_json(written(tmp_path, b"[]"))
        assert not gc.isenabled()
    finally:
        gc.enable()
