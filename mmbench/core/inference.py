"""Inference protocols: how predictions are made on the suite's side, and the named ones of published work."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mmbench.core.errors import UnknownName

Side = Annotated[int, Field(ge=1)]
Scale = Annotated[float, Field(gt=0, le=8, allow_inf_nan=False)]
Divisor = Annotated[float, Field(gt=0, allow_inf_nan=False)]
# What every record holds; the other settings only when they are not the default, so that keys stay as they are.
_ALWAYS = ("mode", "resize_logits")


class Inference(BaseModel):
    """How predictions are made; part of the comparability key. It concerns logits of segmentation alone.

    ``whole`` gives the model the whole picture, ``slide`` windows of ``crop`` (height, width) every ``stride`` pixels,
    the last ones moved back to the edge. A picture smaller than a window is seen as it is, or with ``pad`` in the
    middle of zeros.
    Planes (depth and the like) are divided by ``plane_divisor`` and, with three ``plane_channels``, repeated as a
    picture, which is what models that were trained on depth as an image expect; HHA is a picture already.
    Each of ``scales`` resizes the inputs first (bilinear, planes by the nearest pixel), ``flip`` adds the mirrored
    picture. ``combine`` says of what the mean over windows, scales and mirrors is taken:

    - ``logits``: of logits.
    - ``softmax``: logits over windows, then probabilities over scales and mirrors (mmsegmentation's ``slide_inference``
      and ``aug_test``).
    - ``exp``: the exponential of the sum of the logits of both mirrors, summed over windows and scales without a mean
      (the evaluator of CMX, Zhang et al. 2023, and of those that follow it).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    mode: Literal["whole", "slide"] = "whole"
    resize_logits: Literal["bilinear"] = "bilinear"
    crop: tuple[Side, Side] | None = None
    stride: tuple[Side, Side] | None = None
    scales: Annotated[tuple[Scale, ...], Field(min_length=1)] = (1.0,)
    flip: bool = False
    combine: Literal["logits", "softmax", "exp"] = "logits"
    pad: bool = False
    plane_divisor: Divisor = 1.0
    plane_channels: Literal[1, 3] = 1

    @model_validator(mode="after")
    def _windows_cover(self) -> Inference:
        if (self.mode == "slide") != (self.crop is not None and self.stride is not None):
            raise ValueError("mode 'slide' needs crop and stride, and no other mode takes them")
        if self.crop and self.stride and any(s > c for s, c in zip(self.stride, self.crop, strict=True)):
            raise ValueError("a stride larger than the crop leaves pixels out")
        return self

    @property
    def is_plain(self) -> bool:
        """Whether the model sees each picture once, as it is."""
        return self.identity() == Inference(combine=self.combine, pad=self.pad).identity()

    def identity(self) -> dict[str, str]:
        """For the comparability key: settings as text."""
        plain = Inference()
        changed = (n for n in type(self).model_fields if n in _ALWAYS or getattr(self, n) != getattr(plain, n))
        return {name: _text(getattr(self, name)) for name in changed}


# Named protocols; the sizes are those of the published runs.
PROTOCOLS: Mapping[str, Inference] = MappingProxyType(
    {
        "whole": Inference(),
        # CMX on NYU Depth v2: crop 480 x 640, stride 2/3 of it, three scales and the mirror.
        "cmx-ms-flip": Inference(
            mode="slide",
            crop=(480, 640),
            stride=(320, 427),
            scales=(0.75, 1.0, 1.25),
            flip=True,
            combine="exp",
            pad=True,
        ),
        # mmsegmentation on ADE20K: crop 512, stride 341, one scale.
        "mmseg-slide": Inference(mode="slide", crop=(512, 512), stride=(341, 341), combine="softmax"),
    }
)


def protocol_named(name: str) -> Inference:
    """The protocol of this name; raises UnknownName."""
    if name not in PROTOCOLS:
        raise UnknownName("inference protocol", name, PROTOCOLS)
    return PROTOCOLS[name]


def protocol_of(identity: Mapping[str, str]) -> str:
    """How a protocol in a record is called: "" for the plain one, else its name, or its settings where it has none."""
    identity = {**Inference().identity(), **identity}
    for name, protocol in PROTOCOLS.items():
        if protocol.identity() == identity:
            return "" if protocol.is_plain else name
    return " ".join(f"{name}={value}" for name, value in identity.items() if name != "resize_logits")


def _text(value: object) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)
