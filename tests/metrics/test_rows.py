"""Rows: merge, selection, slices, and a file that is byte-deterministic and refuses what it did not write."""

from __future__ import annotations

import io
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.core.errors import LoadError
from mmbench.metrics.rows import Rows

TEXT = st.text(max_size=8)


@st.composite
def rows_of_any_kind(draw: st.DrawFn) -> Rows:
    ids = draw(st.lists(TEXT, unique=True, max_size=8))
    n = len(ids)
    groups = draw(st.lists(TEXT, min_size=n, max_size=n))
    tags = draw(st.lists(st.dictionaries(TEXT, TEXT, max_size=2), min_size=n, max_size=n))
    names = draw(st.lists(st.sampled_from(["confusion", "n-grams", "vqa/answer"]), unique=True))
    values = {name: np.arange(n * (k + 2), dtype=np.int64).reshape(n, k + 2) ** 3 for k, name in enumerate(names)}
    return Rows(tuple(ids), tuple(groups), tuple(tags), values)


def some_rows(n: int = 6, start: int = 0) -> Rows:
    ids = tuple(f"img{i:02}" for i in range(start, start + n))
    tags = tuple({"regime": "ab"[i % 2], "split": "test"} for i in range(n))
    values = {"confusion": np.arange(n * 3, dtype=np.int64).reshape(n, 3) + start}
    return Rows(ids, tuple(f"video{i // 2}" for i in range(n)), tags, values)


def assert_equal(a: Rows, b: Rows) -> None:
    assert (a.ids, a.groups, [dict(t) for t in a.tags]) == (b.ids, b.groups, [dict(t) for t in b.tags])
    assert sorted(a.values) == sorted(b.values)
    for name in a.values:
        np.testing.assert_array_equal(a.values[name], b.values[name], strict=True)


@given(rows_of_any_kind())
def test_load_gives_back_what_was_saved(rows: Rows) -> None:
    """Any ids, groups and tags survive the file (NUL, surrogates and empty texts too), and the bytes repeat."""
    first, second = io.BytesIO(), io.BytesIO()
    rows.save(first)
    rows.save(second)
    assert first.getvalue() == second.getvalue()
    assert_equal(Rows.load(first), rows)


def test_the_bytes_do_not_depend_on_clock_or_insertion_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two saves give the same bytes at any time, however the tags and statistics were put in."""
    rows = some_rows()
    values = {"b": rows.values["confusion"], "a": rows.values["confusion"] + 1}
    one = Rows(rows.ids, rows.groups, rows.tags, values)
    other = Rows(
        rows.ids,
        rows.groups,
        tuple(dict(reversed(t.items())) for t in rows.tags),
        {name: np.asfortranarray(values[name]) for name in sorted(values)},
    )
    one.save(tmp_path / "one.npz")
    monkeypatch.setattr(time, "localtime", lambda *_: time.gmtime(10**9))
    other.save(tmp_path / "other.npz")
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "other.npz").read_bytes()


def test_the_file_is_an_ordinary_npz_without_pickle(tmp_path: Path) -> None:
    """numpy alone opens the file with allow_pickle=False."""
    rows = some_rows()
    rows.save(tmp_path / "rows.npz")
    with np.load(tmp_path / "rows.npz", allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["statistic/confusion"], rows.values["confusion"])


@pytest.mark.parametrize("keep", [0, 1, 30, 200])
def test_a_file_that_was_cut_off(tmp_path: Path, keep: int) -> None:
    """A truncated file is a LoadError with its name."""
    file = tmp_path / "rows.npz"
    some_rows().save(file)
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.raises(LoadError, match=r"rows\.npz"):
        Rows.load(file)


@given(st.data())
def test_one_damaged_byte_is_never_silent(data: st.DataObject) -> None:
    """Any changed byte either leaves the rows as they were or raises LoadError."""
    rows, stream = some_rows(), io.BytesIO()
    rows.save(stream)
    content = bytearray(stream.getvalue())
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        loaded = Rows.load(io.BytesIO(bytes(content)))
    except LoadError:
        return
    assert_equal(loaded, rows)


def packed(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def json_bytes(text: str) -> bytes:
    return packed(np.frombuffer(text.encode(), dtype=np.uint8))


GOOD = '{"ids":["a"],"groups":["a"],"tags":[{}],"statistics":["c"]}'


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ({}, "samples.npy"),
        ({"samples.npy": b"no array"}, "damaged"),
        ({"samples.npy": json_bytes("{")}, "damaged"),
        ({"samples.npy": json_bytes("[]")}, "damaged"),
        ({"samples.npy": json_bytes('{"ids":["a"],"groups":["a"],"statistics":[]}')}, "missing: tags"),
        ({"samples.npy": json_bytes(GOOD)}, "statistic/c.npy"),
        ({"samples.npy": json_bytes('{"ids":"a","groups":["a"],"tags":[{}],"statistics":[]}')}, "list of texts"),
        ({"samples.npy": json_bytes('{"ids":["a"],"groups":["a"],"tags":[["t"]],"statistics":[]}')}, "list of tags"),
        ({"samples.npy": json_bytes('{"ids":["a"],"groups":["a"],"tags":[{"t":1}],"statistics":[]}')}, "list of texts"),
        (
            {"samples.npy": json_bytes('{"ids":["a","a"],"groups":["a","a"],"tags":[{},{}],"statistics":[]}')},
            "occurs twice",
        ),
        ({"samples.npy": json_bytes(GOOD), "statistic/c.npy": packed(np.zeros((2, 3), np.int64))}, "differ in length"),
        ({"samples.npy": json_bytes(GOOD), "statistic/c.npy": packed(np.zeros((1, 3), np.float32))}, "damaged"),
        ({"samples.npy": json_bytes(GOOD), "statistic/c.npy": packed(np.zeros(1, np.int64))}, "expected int64"),
        ({"samples.npy": json_bytes(GOOD), "statistic/c.npy": packed(np.array([{}], object))}, "allow_pickle=False"),
    ],
)
def test_a_file_of_another_kind(tmp_path: Path, members: dict[str, bytes], why: str) -> None:
    """An archive that is not rows is refused with its name and the reason; a pickle is never loaded."""
    file = tmp_path / "rows.npz"
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(LoadError, match=why) as raised:
        Rows.load(file)
    assert str(file) in str(raised.value)


def test_a_missing_file(tmp_path: Path) -> None:
    """A file that is not there is a LoadError as well."""
    with pytest.raises(LoadError, match="No such file"):
        Rows.load(tmp_path / "rows.npz")


def test_merging_is_concatenation() -> None:
    """The parts of a run in order are the run."""
    assert_equal(Rows.concatenate([some_rows().select(range(2)), some_rows().select(range(2, 6))]), some_rows())


def test_merging_refuses_what_does_not_fit() -> None:
    """A sample twice, or parts with other statistics, would give a wrong number."""
    with pytest.raises(ValueError, match="twice"):
        Rows.concatenate([some_rows(), some_rows()])
    other = some_rows(2, start=6)
    with pytest.raises(ValueError, match="different statistics"):
        Rows.concatenate([some_rows(), Rows(other.ids, other.groups, other.tags, {})])


def test_group_codes_follow_the_names() -> None:
    """Codes are 0..G-1 in the sorted order of the names, whatever the order of the samples."""
    rows = some_rows()
    order = [5, 0, 3, 1, 4, 2]
    assert rows.group_codes().tolist() == [0, 0, 1, 1, 2, 2]
    assert rows.select(order).group_codes().tolist() == [2, 0, 1, 0, 2, 1]


def test_slices_split_the_samples() -> None:
    """A tag that all samples share is no slice; a tag that some samples lack is one."""
    rows = some_rows()
    tags = tuple({**t, **({"night": "yes"} if i < 2 else {})} for i, t in enumerate(rows.tags))
    found = list(Rows(rows.ids, rows.groups, tags, rows.values).slices())
    assert [(tag, value, len(part)) for tag, value, part in found] == [
        ("night", "yes", 2),
        ("regime", "a", 3),
        ("regime", "b", 3),
    ]
    assert found[2][2].ids == rows.ids[1::2]
