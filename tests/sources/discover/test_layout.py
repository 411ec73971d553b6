"""Which folders are modalities and which hold the labels."""

import pytest

from mmbench.core.errors import UsageError
from mmbench.sources.discover.layout import find_layout


def fill(data, names, kinds=("rgb", "depth", "labels"), ending="png"):
    for kind in kinds:
        for name in names:
            data.text(name.format(kind) + f".{ending}", "")


def shape(layout):
    patterns = {name: role.pattern for name, role in layout.modalities.items()}
    return patterns | {"label": layout.label.pattern}, list(layout.keys)


@pytest.mark.parametrize(
    ("names", "kinds", "patterns", "keys"),
    [
        (
            ["{}/b", "{}/a"],
            ("rgb", "depth", "labels"),
            ["rgb/{id:**}.png", "depth/{id:**}.png", "labels/{id:**}.png"],
            [("", "a"), ("", "b")],
        ),
        (
            ["{}/train/a", "{}/val/a"],
            ("images", "thermal", "masks"),
            ["images/{split}/{id:**}.png", "thermal/{split}/{id:**}.png", "masks/{split}/{id:**}.png"],
            [("train", "a"), ("val", "a")],
        ),
        (
            ["train/{}/a", "test/{}/b"],
            ("nir", "gt"),
            ["{split}/nir/{id:**}.png", "{split}/gt/{id:**}.png"],
            [("test", "b"), ("train", "a")],
        ),
        (
            ["wrap/{}/s1/a", "wrap/{}/s2/a"],
            ("rgb", "label"),
            ["wrap/rgb/{id:**}.png", "wrap/label/{id:**}.png"],
            [("", "s1/a"), ("", "s2/a")],
        ),
        (
            ["{0}/1_{0}", "{0}/2_{0}"],
            ("rgb", "depth", "labels"),
            ["rgb/{id:**}_rgb.png", "depth/{id:**}_depth.png", "labels/{id:**}_labels.png"],
            [("", "1"), ("", "2")],
        ),
        (
            ["{0}/{0}_1", "{0}/{0}_2"],
            ("rgb", "labels"),
            ["rgb/rgb_{id}.png", "labels/labels_{id}.png"],
            [("", "1"), ("", "2")],
        ),
    ],
)
def test_common_layouts(data, names, kinds, patterns, keys):
    fill(data, names, kinds)
    found, found_keys = shape(find_layout(data.root))
    assert sorted(found.values()) == sorted(patterns)
    assert found_keys == keys


def test_names_that_models_can_receive(data):
    """rgb comes first; what is called images is rgb; others become arguments of a function."""
    fill(data, ["{}/a"], ("Images", "Near-IR (850)", "2nd", "labels"))
    assert list(find_layout(data.root).modalities) == ["rgb", "input_2nd", "near_ir_850"]


def test_two_folders_of_one_meaning_keep_their_names(data):
    fill(data, ["{}/a"], ("images", "rgb", "labels"))
    assert set(find_layout(data.root).modalities) == {"images", "rgb"}


def test_files_of_several_endings_are_one_pattern(data):
    fill(data, ["rgb/a", "labels/a", "labels/b"], [""])
    data.text("rgb/b.jpg", "")
    assert find_layout(data.root).modalities["rgb"].pattern == "rgb/{id:**}.*"


def test_only_samples_with_all_files_count_and_other_folders_are_left_out(data):
    fill(data, ["{}/a", "{}/b"], ("rgb", "labels"))
    fill(data, ["rgb/c", "thumbnails/x", "thumbnails/y", ".hidden/a"], [""])
    layout = find_layout(data.root)
    assert layout.keys == (("", "a"), ("", "b"))
    assert layout.notes == ("Left out thumbnails/: its names do not fit those of labels/.",)


def test_a_second_folder_called_like_labels_is_no_input(data):
    """CWFID has annotations and masks: an input that holds the answer would be worth nothing."""
    fill(data, ["{}/a", "{}/b"], ("images", "annotations", "masks"))
    with pytest.raises(UsageError, match=r"several \(annotations, masks\); choose with --label"):
        find_layout(data.root)
    layout = find_layout(data.root, "annotations")
    assert list(layout.modalities) == ["rgb"]
    assert layout.notes == ("Left out masks/: it is called like labels.",)


@pytest.mark.parametrize(
    ("names", "label", "says"),
    [
        ([], None, "no pictures in subfolders; expected a folder per modality"),
        (["a", "b"], None, "no pictures in subfolders"),
        (["rgb/a", "rgb/b"], None, "pictures in rgb only"),
        (["rgb/a", "depth/a"], None, r"none \(found: depth, rgb\)"),
        (["rgb/a", "labels/a"], "masks", "no folder 'masks' with pictures; it has: labels, rgb"),
        (["rgb/a", "rgb/b", "labels/x", "labels/y"], None, "No folder of .* has files named like those of labels/"),
        (["rgb/a", "ir/b", "labels/a", "labels/b"], None, "No sample of .* has all of"),
        (["r{g}b/a", "labels/a"], None, "rename the folder"),
    ],
)
def test_what_is_no_known_layout_is_said_in_one_sentence(data, names, label, says):
    for name in names:
        data.text(f"{name}.png", "")
    with pytest.raises(UsageError, match=says):
        find_layout(data.root, label)
