"""From stored pixels to the value of a modality."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from mmbench.core.errors import SampleError
from mmbench.sources.decoding import InputParams, decode_input, fit


def params(**values):
    return InputParams.model_validate(values)


@given(
    raw=st.lists(st.integers(0, 65_535), min_size=1, max_size=20), scale=st.floats(-10, 10), offset=st.floats(-10, 10)
)
def test_a_plane_is_raw_times_scale_plus_offset(raw, scale, offset):
    """Law: value == raw * scale + offset, rounded to float32 once."""
    stored = np.array([raw], np.uint16)
    value = decode_input(stored, params(decode="plane", scale=scale, offset=offset), "x")
    assert value.dtype == np.float32
    np.testing.assert_array_equal(value, np.float32(stored.astype(np.float64) * scale + offset))


@given(value=st.integers(0, 65_535), places=st.integers(1, 15))
def test_rotate_right_undoes_a_rotation_to_the_left(value, places):
    """Law: SUN RGB-D stores (v << 3) | (v >> 13); rotating right by as much gives v back."""
    stored = ((value << places) | (value >> (16 - places))) & 0xFFFF
    plane = decode_input(np.array([[stored]], np.uint16), params(decode="plane", rotate_right=places), "x")
    assert plane[0, 0] == value


@given(st.permutations([0, 1, 2, 3]).flatmap(lambda p: st.integers(1, 4).map(lambda n: p[:n])))
def test_channels_select_and_order(chosen):
    """Law: channel i of the value is the stored channel channels[i]."""
    stored = np.arange(48, dtype=np.uint8).reshape(3, 4, 4)
    value = decode_input(stored, params(decode="image", channels=tuple(chosen)), "x")
    assert value.flags.c_contiguous
    np.testing.assert_array_equal(value, stored[..., chosen])


def test_two_modalities_of_one_picture():
    """CWFID: red is channel 0, near infrared is channel 1; MFNet: thermal is the fourth."""
    stored = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    for channel in range(4):
        plane = decode_input(stored, params(decode="plane", channels=[channel]), "x")
        np.testing.assert_array_equal(plane, stored[..., channel])


@pytest.mark.parametrize(
    ("stored", "how", "says"),
    [
        (np.zeros((2, 2), np.uint16), {"decode": "image"}, "uint16"),
        (np.zeros((2, 2), np.uint8), {"decode": "image"}, "1 channel, but channel 2"),
        (np.zeros((2, 2, 3), np.uint8), {"decode": "image", "channels": [3]}, "3 channels, but channel 3"),
        (np.zeros((2, 2, 3), np.uint8), {"decode": "plane"}, "3 channels, expected 1"),
        (np.zeros((2, 2, 3), np.uint8), {"decode": "plane", "channels": [5]}, "channel 5"),
        (np.zeros((2, 2), np.uint8), {"decode": "plane", "rotate_right": 3}, "16 bits"),
        (np.array([[1.0, np.nan]]), {"decode": "plane"}, "not finite"),
        (np.zeros((2, 2), np.complex64), {"decode": "plane"}, "complex64"),
    ],
)
def test_pixels_that_do_not_fit_are_refused_with_the_file(stored, how, says):
    with pytest.raises(SampleError, match=says) as caught:
        decode_input(stored, params(**how), "rgb/x.png")
    assert "'rgb/x.png'" in str(caught.value)


def test_fill_replaces_what_is_not_finite():
    value = decode_input(np.array([[1.0, np.nan, -np.inf]]), params(decode="plane", fill=-1), "x")
    assert value.tolist() == [[1.0, -1.0, -1.0]]


@pytest.mark.parametrize(
    ("how", "says"),
    [
        ({"decode": "image", "scale": 2.0}, "scale"),
        ({"decode": "plane", "channels": [0, 1]}, "exactly one"),
        ({"decode": "plane", "channels": []}, "at least 1"),
        ({"decode": "image", "channels": [-1]}, "from 0"),
        ({"decode": "plane", "typical": 0}, "greater than 0"),
        ({"decode": "plane", "scale": float("nan")}, "finite"),
        ({"decode": "plane", "scael": 1}, "scael"),
        ({"decode": "value", "resize": "nearest"}, "value"),
        ({}, "decode"),
    ],
)
def test_wrong_parameters_are_refused(how, says):
    with pytest.raises(ValidationError, match=says):
        params(**how)


def test_another_size_is_an_error_unless_resize_is_declared():
    plane = np.arange(6, dtype=np.float32).reshape(2, 3)
    with pytest.raises(SampleError, match="2 x 3 pixels but its label map is 4 x 6"):
        fit(plane, (4, 6), params(decode="plane"), "x")
    np.testing.assert_array_equal(
        fit(plane, (4, 6), params(decode="plane", resize="nearest"), "x"), plane.repeat(2, 0).repeat(2, 1)
    )
    image = np.zeros((2, 3, 3), np.uint8)
    assert fit(image, (4, 6), params(decode="image", resize="bilinear"), "x").shape == (4, 6, 3)
    assert fit(plane, (2, 3), params(decode="plane"), "x") is plane


def test_what_the_source_says_of_an_input():
    image = params(decode="image", channels=[2, 0]).modality("x")
    plane = params(decode="plane", unit="m", typical=8.0).modality("depth")
    assert (image.kind, image.channels) == ("image", 2)
    assert (plane.kind, plane.channels, plane.unit, plane.scale) == ("plane", 1, "m", 8.0)
