"""The source ``manifest``: one row per sample."""

import pickle

import numpy as np
import pytest

from mmbench.core.errors import LoadError, SampleError, UsageError

PARAMS = {
    "file": "m.csv",
    "classes": ["road", "car", "sky"],
    "modalities": {
        "rgb": {"decode": "image"},
        "gain": {"decode": "value", "column": "iso", "scale": 0.01, "unit": "ISO/100"},
    },
    "label": {"column": "mask"},
    "columns": {"group": "scene", "tags": ["weather"]},
}
HEADER = "id,split,rgb,iso,mask,scene,weather\n"
ROWS = "s1,test,a.png,100,a_m.png,x,fog\ns2,train,b.png,200,b_m.png,,sun\ns3,test,b.png,50,b_m.png,y,\n"


def changed(**changes):
    return {**PARAMS, **changes}


@pytest.fixture
def filled(data):
    for name in "ab":
        data.rgb(f"{name}.png")
        data.labels(f"{name}_m.png", 3)
    data.text("m.csv", HEADER + ROWS)
    return data


def test_a_sample_is_a_row(filled, open_toy):
    source = open_toy("manifest", PARAMS)
    sample = source.load("s1")
    assert source.ids == ("s1", "s3")
    assert sample.inputs["rgb"].shape == (6, 8, 3)
    assert sample.inputs["gain"].dtype == np.float32
    assert np.unique(sample.inputs["gain"]).tolist() == [1.0]
    assert (sample.group, sample.tags) == ("x", {"weather": "fog"})
    assert source.load("s3").tags == {}
    assert open_toy("manifest", PARAMS, "train").load("s2").group is None
    copy = pickle.loads(pickle.dumps(source))  # noqa: S301  our own bytes
    assert copy.load("s1").digest() == sample.digest()
    assert source.modalities["gain"].kind == "plane"


def test_a_value_belongs_to_the_stamp(filled, open_toy):
    """The files of s1 are the same, the number is not."""
    before = open_toy("manifest", PARAMS).stamp("s1")
    filled.text("m.csv", HEADER + ROWS.replace("100", "101"))
    assert open_toy("manifest", PARAMS).stamp("s1") != before


def test_json_lines_and_csv_are_the_same_suite(filled, open_toy):
    names = HEADER.strip().split(",")
    rows = [dict(zip(names, line.split(","), strict=True)) for line in ROWS.splitlines()]
    filled.text("m.jsonl", "\n".join(str(row).replace("'", '"') for row in rows))
    lines, table = (open_toy("manifest", changed(file=name)) for name in ("m.jsonl", "m.csv"))
    assert [lines.load(i).digest() for i in lines.ids] == [table.load(i).digest() for i in table.ids]


def test_splits_can_be_lists_of_ids(filled, open_toy):
    filled.text("val.txt", "s3\ns2\n")
    params = changed(splits={"val": {"list": "val.txt"}}, columns={"split": None})
    assert open_toy("manifest", params, "val").ids == ("s3", "s2")
    filled.text("val.txt", "s9\n")
    with pytest.raises(LoadError, match="no row 's9'"):
        open_toy("manifest", params, "val")


def test_part_of_a_split_column(filled, open_toy):
    splits = {"test": {}, "half": {"of": "test", "every": 2}}
    assert open_toy("manifest", changed(splits=splits), "half").ids == ("s3",)


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ("s1,test,,100,a_m.png,x,fog\n", "'s1' has no rgb: .*column rgb"),
        ("s1,test,a.png,100,,x,fog\n", "'s1' has no label: .*column mask"),
        ("s1,test,z.png,100,a_m.png,x,fog\n", r"'z\.png' is missing"),
        ("s1,test,../a.png,100,a_m.png,x,fog\n", r"'\.\.'"),
        ("s1,test,/etc/passwd,100,a_m.png,x,fog\n", "data root"),
    ],
)
def test_a_broken_row_is_a_failed_sample(filled, open_toy, rows, says):
    filled.text("m.csv", HEADER + rows)
    with pytest.raises(SampleError, match=says):
        open_toy("manifest", PARAMS).load("s1")


def test_an_empty_cell_of_an_optional_modality_is_absent(filled, open_toy):
    filled.text("m.csv", HEADER + "s1,test,a.png,,a_m.png,x,fog\n")
    gain = {**PARAMS["modalities"]["gain"], "optional": True}
    source = open_toy("manifest", changed(modalities={**PARAMS["modalities"], "gain": gain}))
    assert set(source.load("s1").inputs) == {"rgb"}


def test_missing_skip_counts_what_it_leaves_out(filled, open_toy):
    filled.text("m.csv", HEADER + ROWS.replace("s3,test,b.png", "s3,test,z.png"))
    source = open_toy("manifest", changed(missing="skip"))
    assert source.ids == ("s1",)
    assert source.notes[0].startswith("1 of the 2 samples")


@pytest.mark.parametrize(
    ("text", "changes", "error", "says"),
    [
        (HEADER + ROWS, {"file": "x.csv"}, LoadError, r"'x\.csv' is missing"),
        (HEADER + ROWS, {"file": "../m.csv"}, LoadError, r"\.\."),
        (HEADER + ROWS, {"columns": {"group": "place"}}, UsageError, "no column 'place'; it has: id, split"),
        (HEADER + ROWS, {"colums": {}}, UsageError, "colums: unknown key"),
        (HEADER + ROWS + "s1,val,a.png,1,a_m.png,x,fog\n", {}, LoadError, "'s1' twice"),
        (HEADER + ",test,a.png,1,a_m.png,x,fog\n", {}, LoadError, "Row 1 .* has no id"),
        (HEADER + ROWS.replace("100", "many"), {}, LoadError, "'many' as gain of 's1'"),
        (HEADER + ROWS.replace("100", "nan"), {}, LoadError, "finite"),
        (HEADER + ROWS, {"columns": {"split": None}}, LoadError, "split column"),
    ],
)
def test_a_manifest_that_cannot_be_used_is_one_sentence(filled, open_toy, text, changes, error, says):
    filled.text("m.csv", text)
    with pytest.raises(error, match=says):
        open_toy("manifest", changed(**changes))


def test_an_unknown_split_names_those_that_are_there(filled, open_toy):
    with pytest.raises(UsageError, match="no split 'val'; it has: test, train"):
        open_toy("manifest", PARAMS, "val")
