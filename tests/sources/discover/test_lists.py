"""Splits by folders, by lists, or drawn."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmbench.core.errors import UsageError
from mmbench.sources.discover.lists import drawn, from_lists, from_values
from mmbench.sources.splits import SplitParams, SplitResolver


@given(count=st.integers(3, 200), seed=st.integers(0, 5))
def test_a_drawn_split_is_a_partition_in_the_given_shares(count, seed):
    """Law: every sample is in exactly one list; shares are 70/10/20 to within one sample; the seed decides alone."""
    ids = [f"{i:04d}" for i in range(count)]
    splits = drawn(ids, ids, "mine", seed)
    assert drawn(ids[::-1], ids[::-1], "mine", seed).lists == splits.lists
    train, val, test = (splits.lists[f"mine.{split}.txt"] for split in ("train", "val", "test"))
    assert sorted((*train, *val, *test)) == ids
    assert len(test) == max(1, round(0.2 * count))
    assert len(val) == max(1, round(0.1 * count))


def test_the_draw_is_the_same_everywhere():
    """Golden: Philox random_raw, seed 0."""
    ids = list("abcdefghij")
    assert drawn(ids, ids, "x", 0).lists == {
        "x.train.txt": tuple("bdefghi"),
        "x.val.txt": tuple("j"),
        "x.test.txt": tuple("ac"),
    }
    assert drawn(ids, ids, "x", 1).lists != drawn(ids, ids, "x", 0).lists


def test_groups_are_not_split():
    ids = [f"{scene}/{frame}" for scene in range(10) for frame in range(3)]
    splits = drawn(ids, [i.split("/")[0] for i in ids], "x", 0)
    scenes = [{i.split("/")[0] for i in found} for found in splits.lists.values()]
    assert sum(map(len, scenes)) == len(set.union(*scenes)) == 10
    assert "whole groups" in splits.note


def test_too_few_samples_are_refused():
    with pytest.raises(UsageError, match="Found 2 samples; at least 3"):
        drawn(["a", "b"], ["a", "b"], "x", 0)


@pytest.mark.parametrize(
    ("folders", "roles", "tables"),
    [
        ({"train", "val", "test"}, {}, {"train": {}, "val": {}, "test": {}}),
        ({"training", "validation", "testing"}, {}, {"train": {"folder": "training"}}),
        ({"train", "test"}, {"train_split": "fit"}, {"val": {"of": "train", "every": 10}}),
        ({"train", "valid"}, {"split": "val", "train_split": "fit", "val_split": "tune"}, {"val": {"folder": "valid"}}),
        ({"train"}, {"train_split": "fit"}, {"test": {"of": "train", "every": 5}}),
        ({"test"}, {}, {"test": {}}),
        ({"val"}, {"split": "val"}, {"val": {}}),
    ],
)
def test_what_is_missing_is_a_part_of_what_is_there(folders, roles, tables):
    splits = from_values(dict.fromkeys(folders, 40), "folders")
    assert splits.roles == roles
    assert {name: splits.tables[name] for name in tables} == tables
    assert not splits.lists


@pytest.mark.parametrize("count", [3, 4, 5, 7, 9, 11, 30])
@pytest.mark.parametrize("folders", [("train",), ("train", "test"), ("train", "val")])
def test_no_part_is_empty(count, folders):
    """Law: with at least three samples in train, a validation (and test) sample is held out and one is trained on."""
    tables = from_values(dict.fromkeys(folders, count), "folders").tables
    splits = {name: SplitParams.model_validate(table) for name, table in tables.items()}
    found = [{"id": str(i)} for i in range(count)]
    resolver = SplitResolver("toy", Path(), splits, {}, lambda _: found, lambda fields: fields["id"])
    assert all(resolver.resolve(split) for split in tables)


def test_lists_are_recognised_by_name_and_by_what_they_hold(data):
    data.text("train.txt", "a\nb\n")
    data.text("sets/test.txt", "c\n")
    data.text("val.txt", "these are\nnot ids\n")
    data.text("notes.txt", "a\n")
    splits = from_lists(data.root, {"a", "b", "c"})
    assert splits.tables["train"] == {"list": "train.txt"}
    assert splits.tables["test"] == {"list": "sets/test.txt"}
    assert splits.tables["val"] == {"of": "train", "every": 2}  # of two
    assert from_lists(data.root, {"x"}) is None


@pytest.mark.parametrize(
    ("line", "table"),
    [
        ("s1/a", {}),
        ("s1/a.jpg", {"entry": "{id:**}.*"}),
        ("s1/a.jpg other.png", {"entry": "{id:**}.*", "column": 0}),
    ],
)
def test_entries_may_be_paths(data, line, table):
    data.text("train.txt", f"{line}\n")
    data.text("test.txt", f"{line}\n")
    assert from_lists(data.root, {"s1/a"}).tables["train"] == {"list": "train.txt", **table}


def test_entries_may_be_full_paths(data):
    data.text("test.txt", "/old/rgb/a.png /old/gt/a.png\n")
    assert from_lists(data.root, {"a"}).tables["test"] == {"list": "test.txt", "entry": "**/{id}.*", "column": 0}
