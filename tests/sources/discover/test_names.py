"""What folders are called."""

import pytest

from mmbench.sources.discover.names import is_label, modality_name, split_of, suite_name


@pytest.mark.parametrize(
    "name", ["labels", "Label", "SegmentationClass", "gt", "gtFine", "ground_truth", "train-masks"]
)
def test_labels(name):
    assert is_label(name)


@pytest.mark.parametrize("name", ["rgb", "depth", "images", "thermal", "lidar"])
def test_inputs(name):
    assert not is_label(name)


def test_splits():
    assert [split_of(name) for name in ("Training", "valid", "TEST", "rgb")] == ["train", "val", "test", None]


def test_names():
    assert modality_name("Near IR") == "near_ir"
    assert modality_name("label") == "input_label"
    assert modality_name("éé") == "input"
    assert suite_name("My Data (v2)") == "my-data-v2"
    assert suite_name("Ünï") == "n"
    assert suite_name("___") == "my-data"
