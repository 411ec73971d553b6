"""Files are read as they are written, and every way they can be broken is one sentence with their name."""

import io
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from mmbench.core.errors import SampleError
from mmbench.sources import raster
from mmbench.sources.raster import read_raster

sizes = st.tuples(st.integers(1, 9), st.integers(1, 9))


@st.composite
def pixels(draw):
    dtype, channels = draw(
        st.sampled_from([(np.uint8, 0), (np.uint8, 2), (np.uint8, 3), (np.uint8, 4), (np.uint16, 0)])
    )
    shape = draw(sizes) + ((channels,) if channels else ())
    raw = draw(st.binary(min_size=int(np.prod(shape)) * 2, max_size=int(np.prod(shape)) * 2))
    return np.frombuffer(raw, np.uint16).astype(dtype).reshape(shape)


@given(pixels())
def test_a_png_that_is_written_is_read_the_same(stored):
    """Law: read(write(x)) == x for 8-bit grey, grey + alpha, RGB, RGBA and 16-bit grey."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.png")
        Image.fromarray(stored).save(path)
        read = read_raster(path, "x.png")
    assert read.dtype == stored.dtype
    np.testing.assert_array_equal(read, stored)


@given(pixels())
def test_an_array_that_is_written_is_read_the_same(stored):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.npy")
        np.save(path, stored)
        np.testing.assert_array_equal(read_raster(path, "x.npy"), stored)


def test_a_palette_picture_gives_indices_and_as_rgb_its_colours(tmp_path):
    indices = np.array([[0, 1], [2, 255]], np.uint8)
    image = Image.new("P", (2, 2))
    image.putdata(indices.ravel().tolist())
    image.putpalette([value for index in range(256) for value in (index, 0, 255 - index)])
    image.save(tmp_path / "p.png")
    np.testing.assert_array_equal(read_raster(tmp_path / "p.png", "p.png"), indices)
    colours = read_raster(tmp_path / "p.png", "p.png", as_rgb=True)
    assert colours.tolist() == [[[0, 0, 255], [1, 0, 254]], [[2, 0, 253], [255, 0, 0]]]


def test_one_bit_gives_zero_and_one(tmp_path):
    Image.fromarray(np.array([[False, True]])).save(tmp_path / "m.png")
    read = read_raster(tmp_path / "m.png", "m.png")
    assert read.dtype == np.uint8
    assert read.tolist() == [[0, 1]]


@settings(max_examples=200)
@given(
    at=st.integers(0, 10_000),
    byte=st.integers(0, 255),
    cut=st.integers(0, 10_000),
    kind=st.sampled_from(["PNG", "JPEG", "TIFF"]),
)
def test_a_damaged_file_is_read_or_refused_with_its_name(at, byte, cut, kind):
    """Whatever byte changes, wherever the file ends: an array, or a SampleError; never another exception."""
    buffer = io.BytesIO()
    Image.fromarray(np.arange(300, dtype=np.uint8).reshape(10, 10, 3)).save(buffer, kind)
    content = bytearray(buffer.getvalue())
    content[at % len(content)] = byte
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "broken.png")
        path.write_bytes(content[: max(1, cut % (len(content) + 1))] if cut % 2 else content)
        try:
            outcome = str(read_raster(path, "data/broken.png").dtype)
        except SampleError as error:
            outcome = str(error)
    assert outcome in ("uint8", "uint16", "int32", "float32") or "data/broken.png" in outcome
    assert "\n" not in outcome


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n", b"<html></html>"])
@pytest.mark.parametrize("name", ["x.png", "x.npy"])
def test_what_is_no_picture_is_refused(tmp_path, content, name):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SampleError, match=name):
        read_raster(tmp_path / name, name)


def test_a_missing_file_and_a_folder_are_said_so(tmp_path):
    with pytest.raises(SampleError, match=r"'a\.png' is missing"):
        read_raster(tmp_path / "a.png", "a.png")
    with pytest.raises(SampleError, match="folder"):
        read_raster(tmp_path, "d")


def test_a_picture_of_too_many_pixels_is_not_decoded(tmp_path, monkeypatch):
    """A few bytes can claim gigabytes of pixels."""
    Image.fromarray(np.zeros((20, 30), np.uint8)).save(tmp_path / "x.png")
    np.save(tmp_path / "x.npy", np.zeros((20, 30)))
    monkeypatch.setattr(raster, "LARGEST", 500)
    for name in ("x.png", "x.npy"):
        with pytest.raises(SampleError, match="30 x 20 pixels"):
            read_raster(tmp_path / name, name)


def test_a_decompression_bomb_of_pil_is_a_sample_error(tmp_path, monkeypatch):
    Image.fromarray(np.zeros((20, 30), np.uint8)).save(tmp_path / "x.png")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    with pytest.raises(SampleError, match=r"x\.png"):
        read_raster(tmp_path / "x.png", "x.png")


def test_an_array_of_objects_is_not_unpickled(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(SampleError, match=r"x\.npy"):
        read_raster(tmp_path / "x.npy", "x.npy")


@pytest.mark.parametrize("shape", [(3,), (2, 2, 2, 2), (0, 4)])
def test_an_array_that_is_no_picture_is_refused(tmp_path, shape):
    np.save(tmp_path / "x.npy", np.zeros(shape))
    with pytest.raises(SampleError, match=r"shape|cannot be read"):
        read_raster(tmp_path / "x.npy", "x.npy")
