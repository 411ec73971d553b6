"""From the pixels of a file to the value of a modality, as the suite file declares it."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, model_validator

from mmbench.core.errors import SampleError
from mmbench.core.source import Modality

_FILTERS = {"nearest": Image.Resampling.NEAREST, "bilinear": Image.Resampling.BILINEAR}


class Table(BaseModel):
    """Parameters of a source: frozen, an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class InputParams(Table):
    """How one modality is decoded.

    ``image``: uint8 [H,W,C]; ``channels`` selects and orders the stored ones, without it the picture becomes RGB.
    ``plane``: float32 [H,W] = raw * ``scale`` + ``offset`` in ``unit``; ``channels`` names the one to take from a
    picture of several. ``value``: a plane filled with one number, from a column of a manifest. ``typical`` is about
    the largest value of a plane: the project's own models divide by it.
    ``rotate_right`` undoes the bit rotation of 16-bit depth (SUN RGB-D: 3). ``fill`` replaces values that are not
    finite, which are otherwise an error. ``resize`` fits it to the label map; without it another size is an error.
    An ``optional`` modality is absent where its file is missing.
    """

    decode: Literal["image", "plane", "value"]
    channels: tuple[int, ...] | None = Field(default=None, min_length=1)
    scale: float = Field(default=1.0, allow_inf_nan=False)
    offset: float = Field(default=0.0, allow_inf_nan=False)
    unit: str = ""
    typical: float = Field(default=1.0, gt=0, allow_inf_nan=False)
    rotate_right: int = Field(default=0, ge=0, le=15)
    fill: float | None = Field(default=None, allow_inf_nan=False)
    resize: Literal["nearest", "bilinear"] | None = None
    optional: bool = False

    @model_validator(mode="after")
    def _plane_keys_need_a_plane(self) -> InputParams:
        if self.decode == "value" and {"channels", "rotate_right", "fill", "resize"} & self.model_fields_set:
            raise ValueError("channels, rotate_right, fill and resize belong to files, not to decode = 'value'")
        if self.decode == "image":
            plane = {"scale", "offset", "unit", "typical", "rotate_right", "fill"} & self.model_fields_set
            if plane:
                raise ValueError(f"{min(plane)} belongs to decode = 'plane', not to 'image'")
        elif self.channels is not None and len(self.channels) != 1:
            raise ValueError("a plane is one channel; channels must name exactly one")
        if self.channels is not None and min(self.channels) < 0:
            raise ValueError("channels count from 0")
        return self

    @property
    def as_rgb(self) -> bool:
        """Whether the file is read as an RGB picture."""
        return self.decode == "image" and self.channels is None

    def modality(self, name: str) -> Modality:
        """What the source says of this input."""
        if self.decode == "image":
            return Modality(name, "image", len(self.channels) if self.channels else 3)
        return Modality(name, "plane", 1, unit=self.unit, scale=self.typical)


def decode_input(raw: NDArray[Any], params: InputParams, shown: str) -> NDArray[Any]:
    """uint8 [H,W,C] or float32 [H,W] of stored pixels [H,W] or [H,W,C]; raises SampleError with the file's name."""
    return _image(raw, params, shown) if params.decode == "image" else _plane(raw, params, shown)


def fit(value: NDArray[Any], size: tuple[int, int], params: InputParams, shown: str) -> NDArray[Any]:
    """The value at ``size`` (height, width): as it is, resized if that is declared; else SampleError."""
    height, width = value.shape[:2]
    if (height, width) == size:
        return value
    if params.resize is None:
        raise SampleError(
            f"The file {shown!r} is {height} x {width} pixels but its label map is {size[0]} x {size[1]}; "
            "sizes must agree, or the suite must declare resize."
        )
    how, target = _FILTERS[params.resize], (size[1], size[0])
    planes = value[..., None] if value.ndim == 2 else value
    resized = [np.asarray(Image.fromarray(planes[..., c]).resize(target, how)) for c in range(planes.shape[2])]
    return resized[0] if value.ndim == 2 else np.stack(resized, axis=-1)


def _image(raw: NDArray[Any], params: InputParams, shown: str) -> NDArray[np.uint8]:
    if raw.dtype != np.uint8:
        raise SampleError(f"The file {shown!r} holds {raw.dtype} values, expected 8 bits for decode = 'image'.")
    stored = raw[..., None] if raw.ndim == 2 else raw
    wanted = params.channels or (0, 1, 2)
    if max(wanted) >= stored.shape[2]:
        raise SampleError(f"The file {shown!r} has {_count(stored)}, but channel {max(wanted)} is asked for.")
    return stored if wanted == tuple(range(stored.shape[2])) else np.ascontiguousarray(stored[..., list(wanted)])


def _plane(raw: NDArray[Any], params: InputParams, shown: str) -> NDArray[np.float32]:
    plane = _one_channel(raw, params, shown)
    if params.rotate_right:
        if plane.dtype != np.uint16:
            raise SampleError(f"The file {shown!r} holds {plane.dtype} values, expected 16 bits for rotate_right.")
        plane = (plane >> np.uint16(params.rotate_right)) | (plane << np.uint16(16 - params.rotate_right))
    if plane.dtype.kind not in "uif":
        raise SampleError(f"The file {shown!r} holds {plane.dtype} values, expected numbers.")
    value = plane.astype(np.float32)
    if (params.scale, params.offset) != (1.0, 0.0):  # in double, so that 1500 mm are 1.5 m exactly
        value = (plane.astype(np.float64) * params.scale + params.offset).astype(np.float32)
    finite = np.isfinite(value)
    if not finite.all():
        if params.fill is None:
            raise SampleError(f"The file {shown!r} holds values that are not finite; declare fill to replace them.")
        value[~finite] = params.fill
    return value


def _one_channel(raw: NDArray[Any], params: InputParams, shown: str) -> NDArray[Any]:
    stored = raw[..., None] if raw.ndim == 2 else raw
    if params.channels is None and stored.shape[2] > 1:
        raise SampleError(f"The file {shown!r} has {_count(stored)}, expected 1; declare channels to choose one.")
    channel = params.channels[0] if params.channels else 0
    if channel >= stored.shape[2]:
        raise SampleError(f"The file {shown!r} has {_count(stored)}, but channel {channel} is asked for.")
    plane: NDArray[Any] = stored[..., channel]
    return plane


def _count(stored: NDArray[Any]) -> str:
    return f"{stored.shape[2]} channel{'s' if stored.shape[2] > 1 else ''}"
