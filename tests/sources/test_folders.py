"""The source ``folders``: its samples, its stamps, and what it says when data is wrong."""

import os
import pickle

import numpy as np
import pytest

from mmbench.core import registry
from mmbench.core.errors import LoadError, SampleError, UsageError
from mmbench.core.source import NotedSource, Source

PARAMS = {
    "classes": ["road", "car", "sky"],
    "modalities": {
        "rgb": {"path": "rgb/{id}.png", "decode": "image"},
        "depth": {"path": "depth/{id}.png", "decode": "plane", "scale": 0.001, "unit": "m", "typical": 10.0},
    },
    "label": {"path": "labels/{id}.png", "ignore": 255},
    "splits": {"test": {"list": "test.txt"}},
}


def changed(**changes):
    return {**PARAMS, **changes}


@pytest.fixture
def filled(data):
    for sample_id in ("b", "a"):
        data.rgb(f"rgb/{sample_id}.png")
        data.depth(f"depth/{sample_id}.png")
        data.labels(f"labels/{sample_id}.png", [0, 1, 2, 255])
    data.text("test.txt", "b\na\n")
    return data


def test_a_sample_holds_the_decoded_files(filled, open_toy):
    rgb = filled.rgb("rgb/a.png")
    depth = filled.depth("depth/a.png")
    labels = filled.labels("labels/a.png", [0, 2, 255])
    source = open_toy("folders", PARAMS)
    sample = source.load("a")
    assert source.ids == ("b", "a")
    assert source.classes == ("road", "car", "sky")
    assert source.ignore == 255
    np.testing.assert_array_equal(sample.inputs["rgb"], rgb)
    np.testing.assert_array_equal(sample.inputs["depth"], np.float32(depth * 0.001))
    np.testing.assert_array_equal(sample.target, labels)
    assert (sample.target.dtype, sample.inputs["depth"].dtype) == (np.uint8, np.float32)


def test_it_is_registered_and_picklable(filled, open_toy):
    source = open_toy("folders", PARAMS)
    assert registry.source.entry("folders").module == "mmbench.sources.folders"
    copy = pickle.loads(pickle.dumps(source))  # noqa: S301  our own bytes
    assert copy.load("a").digest() == source.load("a").digest()
    assert isinstance(source, NotedSource)
    assert all(hasattr(source, name) for name in dir(Source) if not name.startswith("_"))


def test_a_stamp_changes_with_each_file_and_with_nothing_else(filled, open_toy):
    source = open_toy("folders", PARAMS)
    before = {sample_id: source.stamp(sample_id) for sample_id in source.ids}
    os.utime(filled.root / "depth/a.png", ns=(1, 1))
    assert source.stamp("a") != before["a"]
    assert source.stamp("b") == before["b"]
    (filled.root / "depth/a.png").unlink()
    assert "missing" in source.stamp("a")


@pytest.mark.parametrize(
    ("breaks", "says"),
    [
        (lambda d: (d.root / "depth/a.png").unlink(), r"'depth/a\.png' is missing"),
        (lambda d: (d.root / "labels/a.png").unlink(), r"'labels/a\.png' is missing"),
        (lambda d: (d.root / "rgb/a.png").write_bytes(b"x"), r"'rgb/a\.png' is not a picture"),
        (lambda d: (d.root / "rgb/a.png").write_bytes((d.root / "rgb/a.png").read_bytes()[:120]), r"rgb/a\.png"),
        (lambda d: d.labels("labels/a.png", [0, 3]), r"'labels/a\.png' holds the label 3"),
        (lambda d: d.depth("depth/a.png", size=(5, 8)), r"'depth/a\.png' is 5 x 8 pixels but its label map is 6 x 8"),
        (lambda d: d.depth("rgb/a.png"), r"'rgb/a\.png' holds uint16"),
    ],
)
def test_a_broken_sample_is_one_sentence_with_the_file(filled, open_toy, breaks, says):
    breaks(filled)
    source = open_toy("folders", PARAMS)
    assert source.load("b").id == "b"
    with pytest.raises(SampleError, match=says):
        source.load("a")


def test_a_link_out_of_the_root_is_not_read(filled, open_toy, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "a.png"
    (filled.root / "rgb/a.png").rename(outside)
    (filled.root / "rgb/a.png").symlink_to(outside)
    with pytest.raises(SampleError, match="leads out of the data root"):
        open_toy("folders", PARAMS).load("a")


def test_an_id_of_a_list_cannot_climb_out(filled, open_toy):
    filled.text("test.txt", "../../secret\n")
    with pytest.raises(SampleError, match=r"\.\."):
        open_toy("folders", PARAMS).load("../../secret")


def test_missing_skip_counts_what_it_leaves_out(filled, open_toy):
    filled.text("test.txt", "b\nc\na\n")
    source = open_toy("folders", changed(missing="skip"))
    assert source.ids == ("b", "a")
    assert source.notes == ("2 of the 3 samples of the split 'test' are there; the others were left out.",)
    assert open_toy("folders", PARAMS).ids == ("b", "c", "a")
    filled.text("test.txt", "c\n")
    with pytest.raises(LoadError, match="None of the 1 samples"):
        open_toy("folders", changed(missing="skip"))


def test_an_optional_modality_is_absent_where_its_file_is(filled, open_toy):
    (filled.root / "depth/a.png").unlink()
    depth = {**PARAMS["modalities"]["depth"], "optional": True}
    source = open_toy("folders", changed(modalities={**PARAMS["modalities"], "depth": depth}))
    assert set(source.load("a").inputs) == {"rgb"}
    assert set(source.load("b").inputs) == {"rgb", "depth"}


def test_without_a_list_the_folder_is_the_split(data, open_toy):
    """The first modality's pattern says which samples there are; its placeholders serve the others."""
    for split, city, number in (("val", "ulm", 2), ("val", "aachen", 1), ("train", "ulm", 3)):
        data.rgb(f"left/{split}/{city}/{number}_left.png")
        data.labels(f"gt/{split}/{city}/{number}_gt.png", 3)
    params = {
        "classes": PARAMS["classes"],
        "modalities": {"rgb": {"path": "left/{split}/{city}/{number}_left.png", "decode": "image"}},
        "label": {"path": "gt/{split}/{city}/{number}_gt.png"},
        "splits": {"val": {}, "train": {}},
        "id": "{city}_{number}",
        "group": "{city}",
        "tags": {"city": "{city}"},
    }
    source = open_toy("folders", params, "val")
    assert source.ids == ("aachen_1", "ulm_2")
    sample = source.load("ulm_2")
    assert (sample.group, sample.tags) == ("ulm", {"city": "ulm"})
    assert source.stratum("ulm_2") == "city=ulm"


def test_wildcards_find_the_one_file_and_refuse_two(filled, open_toy):
    filled.picture("rgb/a.jpg", filled.rgb("rgb/a.png"))
    rgb = {"path": "**/rgb/{id}.*", "decode": "image"}
    source = open_toy("folders", changed(modalities={**PARAMS["modalities"], "rgb": rgb}))
    assert source.load("b").inputs["rgb"].shape == (6, 8, 3)
    with pytest.raises(SampleError, match=r"'a' has no rgb: no file, or more than one, fits '\*\*/rgb/a\.\*'"):
        source.load("a")


def test_a_list_of_ids_finds_files_in_folders_it_does_not_name(data, open_toy):
    """The city is only in the path; the label's pattern uses what the picture's path gave."""
    data.rgb("left/ulm/1.png")
    data.labels("gt/ulm/1.png", 3)
    data.text("test.txt", "1\n2\n")
    params = {
        "classes": PARAMS["classes"],
        "modalities": {"rgb": {"path": "left/{city}/{id}.png", "decode": "image"}},
        "label": {"path": "gt/{city}/{id}.png"},
        "splits": {"test": {"list": "test.txt"}},
        "group": "{city}",
    }
    source = open_toy("folders", params)
    assert source.load("1").group == "ulm"
    with pytest.raises(SampleError, match="'2' has no rgb"):
        source.load("2")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"clases": []}, "source.params: clases: unknown key"),
        ({"classes": ["a"]}, "classes"),
        ({"classes": ["a", "a"]}, "a name occurs twice"),
        ({"label": {"path": "labels/{id}.png", "ignore": 1}}, "label.ignore"),
        ({"label": {"path": "../{id}.png"}}, r"label\.path.*'\.\.'"),
        ({"label": {"path": "/labels/{id}.png"}}, "label.path"),
        ({"id": "{frame}"}, r"id needs \{frame\}"),
        ({"group": "{video}"}, r"group and tags needs \{video\}"),
        ({"splits": {"train": {}}}, "no split 'test'"),
        ({"modalities": {**PARAMS["modalities"], "x": {"path": "x/{id}.png", "decode": "value"}}}, "manifest"),
        ({"modalities": {**PARAMS["modalities"], "label": {"path": "x/{id}.png", "decode": "plane"}}}, "rename it"),
    ],
)
def test_wrong_parameters_name_the_suite_and_the_key(filled, open_toy, changes, says):
    with pytest.raises(UsageError, match=says) as caught:
        open_toy("folders", changed(**changes))
    assert "'toy'" in str(caught.value)


def test_the_modalities_of_the_suite_and_of_the_source_are_the_same(filled, open_toy):
    with pytest.raises(UsageError, match="'depth' in one place only; add it to modalities"):
        open_toy("folders", PARAMS, modalities=["rgb"])
    with pytest.raises(UsageError, match=r"'nir' in one place only; add it to source\.params\.modalities"):
        open_toy("folders", PARAMS, modalities=["rgb", "depth", "nir"])


def test_a_suite_without_a_root_says_how_to_give_one(filled, open_toy):
    with pytest.raises(LoadError, match="--data-root toy=PATH"):
        open_toy("folders", PARAMS, rooted=False)


def test_parameters_of_the_suite_stand_in_patterns(filled, open_toy):
    filled.text("lists/day.txt", "a\n")
    params = changed(splits={"test": {"list": "lists/{time}.txt"}})
    assert open_toy("folders", params, parameters={"time": "day"}).ids == ("a",)


def test_an_unknown_sample_is_a_sample_error(filled, open_toy):
    with pytest.raises(SampleError, match="no sample 'z'"):
        open_toy("folders", PARAMS).load("z")
