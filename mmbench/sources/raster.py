"""Reads one picture or array file, whole and safely: every way it can be broken is a SampleError with its name."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from mmbench.core.errors import SampleError

# 67 million pixels are 8192 x 8192; a small file that claims more is taken for a decompression bomb.
LARGEST = 2**26
FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "PPM", "WEBP")
SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".webp", ".npy")

# What PIL raises on damaged files, by the experience of changing bytes at random.
_BROKEN = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Warning,  # where the caller's filters make errors of them
)


def read_raster(path: Path, shown: str, as_rgb: bool = False) -> NDArray[Any]:
    """The pixels as stored: [H,W] or [H,W,C]; a palette picture gives its indices, one of 1 bit gives uint8 0 and 1.

    With ``as_rgb`` a picture is converted to uint8 [H,W,3] (palette resolved, grey repeated, alpha dropped); an array
    (``.npy``) is left as it is. ``shown`` is the name for messages. Raises SampleError.
    """
    try:
        if path.suffix.lower() == ".npy":
            return _read_array(path, shown)
        with Image.open(path, formats=FORMATS) as image:
            _refuse_large(image.width, image.height, shown)
            return _pixels(image, as_rgb)
    except FileNotFoundError as error:
        raise SampleError(f"The file {shown!r} is missing.") from error
    except IsADirectoryError as error:
        raise SampleError(f"{shown!r} is a folder, expected a picture.") from error
    except UnidentifiedImageError as error:
        raise SampleError(f"The file {shown!r} is not a picture ({', '.join(FORMATS)}) or is damaged.") from error
    except _BROKEN as error:
        what = str(error).partition("\n")[0] or type(error).__name__
        raise SampleError(f"The file {shown!r} cannot be read ({what}); it is truncated or damaged.") from error


def _pixels(image: Image.Image, as_rgb: bool) -> NDArray[Any]:
    if as_rgb and not image.mode.startswith(("I", "F")):
        return np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
    pixels = np.asarray(image)
    return pixels.astype(np.uint8) if pixels.dtype == np.bool_ else pixels


def _read_array(path: Path, shown: str) -> NDArray[Any]:
    mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    if not isinstance(mapped, np.ndarray) or mapped.ndim not in (2, 3) or 0 in mapped.shape:
        raise SampleError(f"The array {shown!r} has shape {np.shape(mapped)}, expected [H,W] or [H,W,C].")
    _refuse_large(mapped.shape[1], mapped.shape[0], shown)
    return np.array(mapped)


def _refuse_large(width: int, height: int, shown: str) -> None:
    if width * height > LARGEST:
        raise SampleError(
            f"The file {shown!r} claims {width} x {height} pixels, more than the {LARGEST} that are read."
        )
