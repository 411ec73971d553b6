"""From the pixels of a label file to the label map of a sample: class indices from 0 and one ignored value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from mmbench.core.errors import SampleError
from mmbench.sources.decoding import Table

Byte = Annotated[int, Field(ge=0, le=255)]
Colour = tuple[Byte, Byte, Byte]

# Stored labels are 0..65535; a table over all of them does mapping, reducing and checking in one lookup.
_STORED = 65_536
_BAD = -1


class LabelParams(Table):
    """How a label file is decoded.

    Stored indices (8 or 16 bit, or a palette, whose index counts) are labels as they are, or through ``map`` (stored
    -> label; what it does not name is an error, or ignored with ``unmapped = "ignore"``), or less one with
    ``reduce_zero_label`` (stored 0 is ignored). ``colours`` names the colour of each class instead, with
    ``ignore_colours`` beside them. ``channel`` takes one channel of several. ``ignore`` is the label that is not
    scored, in the file as in the sample; None: every pixel is scored.
    """

    channel: int | None = Field(default=None, ge=0)
    colours: dict[str, Colour] | None = None
    ignore_colours: tuple[Colour, ...] = ()
    map: dict[Annotated[int, Field(ge=0, lt=_STORED)], int] | None = None
    unmapped: Literal["error", "ignore"] = "error"
    reduce_zero_label: bool = False
    ignore: int | None = Field(default=None, ge=0, le=32_767)

    @model_validator(mode="after")
    def _one_way_of_reading(self) -> LabelParams:
        ways = [n for n in ("colours", "map", "reduce_zero_label") if getattr(self, n) not in (None, False)]
        if len(ways) > 1:
            raise ValueError(f"{' and '.join(ways)} exclude each other")
        if self.ignore is None and (self.reduce_zero_label or self.unmapped == "ignore" or self.ignore_colours):
            raise ValueError("an ignored label is needed; set ignore, for example to 255")
        if self.ignore_colours and self.colours is None:
            raise ValueError("ignore_colours needs colours")
        return self


@dataclass(frozen=True)
class LabelDecoder:
    """``LabelParams`` made ready for the classes of a suite."""

    classes: int
    ignore: int | None
    channel: int | None
    table: NDArray[np.int16]
    codes: NDArray[np.int32] | None = None

    @classmethod
    def of(cls, params: LabelParams, classes: Sequence[str]) -> LabelDecoder:
        """Raises ValueError, as ``label: what is wrong``, when the parameters do not fit the classes."""
        _check(params, classes)
        if params.colours is not None:
            codes, labels = _colour_table(params, params.colours, classes)
            return cls(len(classes), params.ignore, params.channel, labels, codes)
        return cls(len(classes), params.ignore, params.channel, _index_table(params, len(classes)))

    @property
    def dtype(self) -> type[np.uint8 | np.int16]:
        """uint8 when all labels and the ignored one fit, else int16."""
        return np.uint8 if max(self.classes - 1, self.ignore or 0) <= 255 else np.int16

    @property
    def as_rgb(self) -> bool:
        """Whether the file is to be read as an RGB picture."""
        return self.codes is not None

    def decode(self, raw: NDArray[Any], shown: str) -> NDArray[np.integer]:
        """uint8 or int16 [H,W] of stored pixels; raises SampleError with the file's name and the label found."""
        labels = self._by_colour(raw, shown) if self.codes is not None else self._by_index(raw, shown)
        return labels.astype(self.dtype)

    def _by_index(self, raw: NDArray[Any], shown: str) -> NDArray[np.int16]:
        stored = self._one_channel(raw, shown)
        if stored.dtype.kind not in "ui":
            raise SampleError(f"The label file {shown!r} holds {stored.dtype} values, expected whole numbers.")
        if stored.dtype not in (np.uint8, np.uint16) and (int(stored.min()) < 0 or int(stored.max()) >= _STORED):
            raise self._out_of_range(shown, int(stored.min()) if int(stored.min()) < 0 else int(stored.max()))
        labels: NDArray[np.int16] = self.table[stored]
        if labels.min() == _BAD:
            raise self._out_of_range(shown, int(stored[labels == _BAD][0]))
        return labels

    def _by_colour(self, raw: NDArray[Any], shown: str) -> NDArray[np.int16]:
        if raw.ndim != 3 or raw.shape[2] != 3 or raw.dtype != np.uint8 or self.codes is None:
            raise SampleError(f"The label file {shown!r} is not an RGB picture of 8 bits, which colours expects.")
        code = _code(raw.astype(np.int32))
        position = np.minimum(np.searchsorted(self.codes, code), len(self.codes) - 1)
        unknown = self.codes[position] != code
        if unknown.any():
            colour = ", ".join(str(int(v)) for v in raw[unknown][0])
            raise SampleError(f"The label file {shown!r} holds the colour ({colour}), which the suite does not name.")
        return self.table[position]

    def _one_channel(self, raw: NDArray[Any], shown: str) -> NDArray[Any]:
        stored = raw[..., None] if raw.ndim == 2 else raw
        if self.channel is None and stored.shape[2] > 1:
            raise SampleError(
                f"The label file {shown!r} has {stored.shape[2]} channels, expected 1; declare channel or colours."
            )
        if (self.channel or 0) >= stored.shape[2]:
            raise SampleError(
                f"The label file {shown!r} has {stored.shape[2]} channels, but channel {self.channel} is asked for."
            )
        plane: NDArray[Any] = stored[..., self.channel or 0]
        return plane

    def _out_of_range(self, shown: str, found: int) -> SampleError:
        known = np.flatnonzero(self.table != _BAD)
        expected = ", ".join(f"{a}" if a == b else f"{a}..{b}" for a, b in _ranges(known))
        ignored = "" if self.ignore is None else f" ({self.ignore} is ignored)"
        return SampleError(f"The label file {shown!r} holds the label {found}, expected {expected}{ignored}.")


def _check(params: LabelParams, classes: Sequence[str]) -> None:
    count = len(classes)
    if params.ignore is not None and params.ignore < count:
        raise ValueError(f"label.ignore: {params.ignore} is also the class {classes[params.ignore]!r}")
    if params.reduce_zero_label and params.ignore == count:
        raise ValueError(f"label.ignore: with reduce_zero_label the stored label {count} is a class; use 255")
    wrong = sorted({v for v in (params.map or {}).values() if not 0 <= v < count and v != params.ignore})
    if wrong:
        raise ValueError(f"label.map: {wrong[0]} is neither a class (0..{count - 1}) nor the ignored label")
    if params.colours is not None and set(params.colours) != set(classes):
        odd = sorted(set(params.colours) ^ set(classes))[0]
        raise ValueError(f"label.colours: must name each class once, {odd!r} is missing or is no class")


def _index_table(params: LabelParams, count: int) -> NDArray[np.int16]:
    table = np.full(_STORED, _BAD, np.int16)
    ignored = _BAD if params.ignore is None else params.ignore
    if params.map is not None:
        if params.unmapped == "ignore":
            table[:] = ignored
        table[list(params.map)] = list(params.map.values())
    elif params.reduce_zero_label:
        # Never by arithmetic on the stored type: there 0 - 1 wraps to 255, and 255 - 1 is a class.
        table[0] = ignored
        table[1 : count + 1] = np.arange(count)
    else:
        table[:count] = np.arange(count)
    if table[ignored] == _BAD:
        table[ignored] = ignored
    return table


def _colour_table(
    params: LabelParams, colours: Mapping[str, Colour], classes: Sequence[str]
) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
    labels = {colours[name]: label for label, name in enumerate(classes)}
    if len(labels) < len(classes) or not labels.keys().isdisjoint(params.ignore_colours):
        raise ValueError("label.colours: two labels have the same colour")
    labels |= dict.fromkeys(params.ignore_colours, params.ignore or 0)
    codes = _code(np.array(list(labels), np.int32))
    order = np.argsort(codes)
    return codes[order], np.array(list(labels.values()), np.int16)[order]


def _code(rgb: NDArray[np.int32]) -> NDArray[np.int32]:
    code: NDArray[np.int32] = (rgb[..., 0] << 16) | (rgb[..., 1] << 8) | rgb[..., 2]
    return code


def _ranges(values: NDArray[np.integer]) -> list[tuple[int, int]]:
    breaks = np.flatnonzero(np.diff(values) > 1)
    starts, ends = np.r_[0, breaks + 1], np.r_[breaks, len(values) - 1]
    return [(int(values[a]), int(values[b])) for a, b in zip(starts, ends, strict=True)]
