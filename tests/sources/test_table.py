"""Manifests as rows of text."""

import csv
import io
import json
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.core.errors import LoadError
from mmbench.sources.table import columns_of, read_table

cells = st.text(alphabet=string.ascii_letters + string.digits + " ,\"';/é", min_size=1, max_size=8).map(str.strip)


@given(st.lists(st.tuples(cells, cells), min_size=1, max_size=8))
def test_what_is_written_as_csv_or_jsonl_is_read_the_same(tmp_path_factory, rows):
    """Law: both forms of one table give the same rows."""
    folder = tmp_path_factory.mktemp("t")
    buffer = io.StringIO()
    csv.writer(buffer).writerows([("a", "b"), *rows])
    (folder / "m.csv").write_text(buffer.getvalue(), encoding="utf-8", newline="")
    lines = [json.dumps({"a": a, "b": b}) for a, b in rows]
    (folder / "m.jsonl").write_text("\n".join(lines), encoding="utf-8")
    expected = [{"a": a, "b": b} for a, b in rows]
    assert read_table(folder / "m.csv", "m.csv") == expected
    assert read_table(folder / "m.jsonl", "m.jsonl") == expected


def test_forms(tmp_path):
    (tmp_path / "m.tsv").write_text("\ufeffid\tx\n1\t\n", encoding="utf-8")
    assert read_table(tmp_path / "m.tsv", "m.tsv") == [{"id": "1", "x": ""}]
    (tmp_path / "m.jsonl").write_text('{"id": 1, "x": null}\n\n{"id": 2, "y": 0.5}\n')
    rows = read_table(tmp_path / "m.jsonl", "m.jsonl")
    assert rows == [{"id": "1", "x": ""}, {"id": "2", "y": "0.5"}]
    assert columns_of(rows) == ["id", "x", "y"]


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("m.csv", "", "no row"),
        ("m.csv", "id,rgb\n", "no row"),
        ("m.csv", "id,rgb\na,b,c\n", "Line 2 .* 3 cells, expected 2"),
        ("m.csv", "id,id\na,b\n", "repeated"),
        ("m.csv", "id,\na,b\n", "empty"),
        ("m.csv", 'id,rgb\na,"b\n', "not CSV"),
        ("m.jsonl", "{]\n", "Line 1 .* not JSON"),
        ("m.jsonl", '{"id": [1]}\n', "Line 1 .* texts and numbers"),
        ("m.jsonl", "[1]\n", "Line 1"),
        ("m.xlsx", "x", "must end in"),
        ("m.csv", b"\xff\xff", "UTF-8"),
    ],
)
def test_a_malformed_manifest_is_one_sentence_with_its_name(tmp_path, name, text, says):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(LoadError, match=says) as caught:
        read_table(tmp_path / name, name)
    assert name in str(caught.value)


def test_a_missing_manifest_is_named(tmp_path):
    with pytest.raises(LoadError, match=r"'m\.csv' is missing"):
        read_table(tmp_path / "m.csv", "m.csv")
