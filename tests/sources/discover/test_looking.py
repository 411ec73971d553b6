"""How files are decoded, guessed from what they hold."""

import numpy as np
import pytest

from mmbench.core.errors import UsageError
from mmbench.sources.discover.looking import evenly, look_at_input, look_at_labels


def input_of(data, name, *pictures, size=(6, 8)):
    paths = []
    for index, pixels in enumerate(pictures):
        paths.append(f"x/{index}.{'npy' if pixels.dtype.kind == 'f' else 'png'}")
        (data.root / "x").mkdir(exist_ok=True)
        if pixels.dtype.kind == "f":
            np.save(data.root / paths[-1], pixels)
        else:
            data.picture(paths[-1], pixels)
    return look_at_input(data.root.resolve(), name, paths, size)


def test_colour_is_an_image(data):
    assert input_of(data, "rgb", np.zeros((6, 8, 3), np.uint8)) == ({"decode": "image"}, "")
    assert input_of(data, "rgb", np.zeros((6, 8, 4), np.uint8))[0] == {"decode": "image"}


def test_grey_is_a_plane_with_its_largest_value(data):
    """8 bits: what they can hold; else the largest value that was seen, rounded up to two digits."""
    params, _ = input_of(data, "thermal", np.full((6, 8), 3, np.uint8))
    assert params == {"decode": "plane", "typical": 255.0}
    params, _ = input_of(data, "thermal", np.full((6, 8), 3, np.uint16), np.full((6, 8), 2310, np.uint16))
    assert params == {"decode": "plane", "typical": 2400.0}


def test_16_bit_depth_is_taken_for_millimetres_and_says_so(data):
    params, comment = input_of(data, "depth", np.full((6, 8), 3999, np.uint16))
    assert params == {"decode": "plane", "scale": 0.001, "unit": "m", "typical": 4.0}
    assert "check" in comment
    assert "scale" not in input_of(data, "thermal", np.full((6, 8), 3999, np.uint16))[0]


def test_what_is_not_finite_is_filled_and_another_size_resized(data):
    pixels = np.array([[1.5, np.nan], [np.inf, -2.0]], np.float32)
    params, comment = input_of(data, "depth", pixels)
    assert params == {"decode": "plane", "fill": 0.0, "typical": 2.0, "resize": "nearest"}
    assert "not finite" in comment


def test_a_mixture_of_kinds_is_refused(data):
    with pytest.raises(UsageError, match="1 channel and 3"):
        input_of(data, "x", np.zeros((6, 8), np.uint8), np.zeros((6, 8, 3), np.uint8))
    with pytest.raises(UsageError, match="expected 8 bits"):
        input_of(data, "x", np.zeros((6, 8, 3), np.float32))


@pytest.mark.parametrize(
    ("values", "params", "classes"),
    [
        ([0, 1, 2], {}, 3),
        ([0, 2, 255], {"ignore": 255}, 3),
        ([0, 255], {"map": {"0": 0, "255": 1}}, 2),
        ([0, 64, 128], {"map": {"0": 0, "64": 1, "128": 2}}, 3),
        ([0, 64, 128, 255], {"map": {"0": 0, "64": 1, "128": 2}, "ignore": 255}, 3),
    ],
)
def test_indices(data, values, params, classes):
    data.labels("l/0.png", values[:1])
    data.labels("l/1.png", values)
    found, names, size = look_at_labels(data.root.resolve(), ["l/0.png", "l/1.png"])
    assert (found, len(names), size) == (params, classes, (6, 8))


def test_colours(data):
    table = np.array([[0, 0, 0], [255, 0, 0], [0, 255, 0]], np.uint8)
    data.picture("l/0.png", table[np.resize([0, 1, 2], data.size)])
    found, names, _ = look_at_labels(data.root.resolve(), ["l/0.png"])
    assert found == {"colours": {"class_0": [0, 0, 0], "class_1": [0, 255, 0], "class_2": [255, 0, 0]}}
    assert names == ["class_0", "class_1", "class_2"]


def test_what_cannot_be_labels_is_refused(data):
    root = data.root.resolve()
    data.picture("l/a.jpg", np.zeros((6, 8), np.uint8))
    with pytest.raises(UsageError, match="JPEG"):
        look_at_labels(root, ["l/a.jpg"])
    data.picture("l/b.png", np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8))
    with pytest.raises(UsageError, match="more than 256 colours"):
        look_at_labels(root, ["l/b.png"])
    data.labels("l/c.png", [0])
    with pytest.raises(UsageError, match="single value 0"):
        look_at_labels(root, ["l/c.png"])
    np.save(data.root / "l/d.npy", np.zeros((6, 8)))
    with pytest.raises(UsageError, match="float64"):
        look_at_labels(root, ["l/d.npy"])
    (data.root / "l/e.png").write_bytes(b"x")
    with pytest.raises(UsageError, match="repair or remove it"):
        look_at_labels(root, ["l/e.png"])


def test_evenly_takes_the_first_and_the_last():
    assert evenly(list("abc"), 5) == list("abc")
    assert evenly([str(i) for i in range(100)], 4) == ["0", "33", "66", "99"]
