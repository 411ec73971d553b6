"""Declared preprocessing: what it does, what is refused, what is recorded."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from mmbench.adapters.preprocess import Preprocess, check_box_scale, declared_preprocess, recorded
from mmbench.core.errors import LoadError
from mmbench.core.source import Modality

BOTH = {"rgb": Modality("rgb", "image", 3), "depth": Modality("depth", "plane", 1)}


def test_nothing_declared_does_and_records_nothing() -> None:
    tables = declared_preprocess(None, "m", BOTH)
    x = torch.rand(2, 3, 4, 5)
    assert torch.equal(tables["rgb"].apply(x, antialias=True), x)
    assert recorded(tables) == {}


def test_one_table_resizes_all_inputs_and_normalises_the_images() -> None:
    tables = declared_preprocess({"size": [6, 8], "mean": [0.1, 0.2, 0.3], "std": (0.5, 0.5, 0.25)}, "m", BOTH)
    assert recorded(tables) == {
        "rgb": {"size": [6, 8], "mean": [0.1, 0.2, 0.3], "std": [0.5, 0.5, 0.25], "interpolation": "bilinear"},
        "depth": {"size": [6, 8], "interpolation": "bilinear"},
    }
    x = torch.full((1, 3, 3, 3), 0.4)
    expected = torch.tensor([0.6, 0.4, 0.4]).view(1, 3, 1, 1).expand(1, 3, 6, 8)
    torch.testing.assert_close(tables["rgb"].apply(x, antialias=True), expected)


def test_each_modality_may_have_its_own_table() -> None:
    tables = declared_preprocess({"depth": {"mean": 2, "std": 4.0, "size": 3, "interpolation": "nearest"}}, "m", BOTH)
    assert recorded(tables) == {"depth": {"mean": [2.0], "std": [4.0], "size": [3, 3], "interpolation": "nearest"}}
    assert tables["depth"].apply(torch.full((1, 1, 3, 3), 10.0), antialias=False).unique().tolist() == [2.0]


def test_planes_alone_take_the_mean_of_a_common_table() -> None:
    tables = declared_preprocess({"mean": [1.0]}, "m", {"depth": BOTH["depth"]})
    assert tables["depth"].mean == (1.0,)


def test_bilinear_of_images_agrees_with_pil() -> None:
    """Independent computation: PIL's antialiased bilinear resize, equal to within its rounding to 8 bits."""
    raw = (np.random.Philox(key=1).random_raw(40 * 30 * 3) >> np.uint64(3)).astype(np.uint8).reshape(40, 30, 3)
    table = declared_preprocess({"size": (13, 11)}, "m", BOTH)["rgb"]
    ours = table.apply(torch.from_numpy(raw).permute(2, 0, 1)[None].float(), antialias=True)[0].permute(1, 2, 0).numpy()
    theirs = np.asarray(Image.fromarray(raw).resize((11, 13), Image.Resampling.BILINEAR), dtype=np.float32)
    assert np.abs(ours - theirs).max() <= 1.0


@pytest.mark.parametrize(
    ("declared", "sentence"),
    [
        ([1, 2], "declares preprocess as list; expected a dict"),
        ({"sizes": (1, 2)}, "sizes: unknown key; expected size, mean, std and interpolation"),
        ({"size": (0, 2)}, r"size\.0"),
        ({"size": "big"}, "size"),
        ({"std": [0.5, 0.0, 0.5]}, "std must be above 0"),
        ({"mean": [0.5, 0.5]}, "has 2 means and 0 stds; expected 1 or 3 of each"),
        ({"mean": float("nan")}, "mean"),
        ({"interpolation": "lanczos"}, "interpolation"),
        ({"rgb": {}, "thermal": {}}, "rgb: unknown key"),
        ({"rgb": 3}, "for 'rgb' is wrong"),
    ],
)
def test_wrong_declarations_are_one_sentence(declared: Any, sentence: str) -> None:
    with pytest.raises(LoadError, match=sentence):
        declared_preprocess(declared, "m", BOTH)


def test_a_detector_whose_inputs_are_resized_is_refused():
    """Its boxes would be in pixels of the resized picture, and be scored as if they were of the suite's."""
    spec = SimpleNamespace(task="detection")
    request = SimpleNamespace(spec=spec)
    check_box_scale("d", {"rgb": Preprocess(mean=(0.5,))}, request)
    with pytest.raises(LoadError, match="resize inside the module"):
        check_box_scale("d", {"rgb": Preprocess(size=(8, 8))}, request)
    spec.task = "segmentation"
    check_box_scale("d", {"rgb": Preprocess(size=(8, 8))}, request)
