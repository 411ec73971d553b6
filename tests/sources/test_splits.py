"""Which samples a split has."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mmbench.core.errors import LoadError, UsageError
from mmbench.sources.splits import SplitParams, SplitResolver


def resolver(tables, ids=(), root=Path()):
    splits = {name: SplitParams.model_validate(table) for name, table in tables.items()}
    return SplitResolver("toy", root, splits, {}, lambda fixed: [{**fixed, "id": i} for i in ids], lambda f: f["id"])


def ids_of(found):
    return [fields["id"] for fields in found]


@given(count=st.integers(1, 60), every=st.integers(1, 12))
def test_a_part_and_the_rest_make_up_the_whole(count, every):
    """Law: every n-th and what is without it are disjoint, and together the whole in its order."""
    ids = [f"{i:03d}" for i in range(count)]
    tables = {"train": {}, "val": {"of": "train", "every": every}, "fit": {"of": "train", "without": ["val"]}}
    parts = []
    for split in ("val", "fit"):
        try:
            parts.append(ids_of(resolver(tables, ids).resolve(split)))
        except LoadError:  # nothing is left
            parts.append([])
    assert sorted(parts[0] + parts[1]) == ids
    assert len(parts[0]) == count // every


def test_a_part_keeps_the_folder_of_the_whole():
    tables = {"train": {"folder": "training"}, "val": {"of": "train", "every": 2}}
    assert [f["split"] for f in resolver(tables, "abcd").resolve("val")] == ["training", "training"]


def test_lists_are_matched_with_the_entry_pattern(data):
    data.text("train.txt", "/old/path/seq1_1.png /old/annot/seq1_1.png\n/old/path/seq2_1.png /old/annot/seq2_1.png\n")
    table = {"list": "{split}.txt", "column": 0, "entry": "**/{video}_{frame}.png"}
    splits = {"train": SplitParams.model_validate(table)}
    found = SplitResolver("toy", data.root, splits, {}, lambda _: [], lambda f: f["video"]).resolve("train")
    assert found[1] == {"split": "train", "video": "seq2", "frame": "1"}


def test_several_lists_are_one_split(data):
    data.text("day.txt", "1D\n")
    data.text("night.txt", "1N\n")
    assert ids_of(resolver({"test": {"list": ["day.txt", "night.txt"]}}, root=data.root).resolve("test")) == [
        "1D",
        "1N",
    ]


@pytest.mark.parametrize(
    ("tables", "split", "error", "says"),
    [
        ({"train": {}}, "test", UsageError, "no split 'test'; it has: train"),
        ({"a": {"of": "b"}, "b": {"of": "a"}}, "a", UsageError, "part of itself"),
        ({"a": {"of": "nope"}}, "a", UsageError, "no split 'nope'"),
        ({"train": {}}, "train", LoadError, "is empty"),
        ({"train": {"list": "t.txt"}}, "train", LoadError, r"'t\.txt' is missing"),
    ],
)
def test_what_cannot_be_resolved_is_one_sentence(tmp_path, tables, split, error, says):
    with pytest.raises(error, match=says):
        resolver(tables, root=tmp_path.resolve()).resolve(split)


def test_an_id_that_occurs_twice_is_refused(data):
    data.text("t.txt", "a\nb\na\n")
    with pytest.raises(LoadError, match="'a' twice"):
        resolver({"t": {"list": "t.txt"}}, root=data.root).resolve("t")


def test_an_entry_that_does_not_fit_is_named(data):
    data.text("t.txt", "rgb/1.png\nrgb/2.jpg\n")
    with pytest.raises(LoadError, match=r"'rgb/2\.jpg' of the split list 't\.txt'"):
        resolver({"t": {"list": "t.txt", "entry": "rgb/{id}.png"}}, root=data.root).resolve("t")


@pytest.mark.parametrize(
    "table",
    [
        {"every": 2},
        {"without": ["a"]},
        {"of": "a", "list": "b.txt"},
        {"of": "a", "every": 0},
        {"column": 0},
        {"key": "train"},
        {"list": "a.txt", "entry": "{id"},
        {"lists": "a.txt"},
    ],
)
def test_keys_that_do_not_fit_together_are_refused(table):
    with pytest.raises(ValidationError):
        SplitParams.model_validate(table)
