"""What a model declares to be done to its inputs: resize, mean, std."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import torch
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from mmbench.content import explain
from mmbench.core.errors import LoadError
from mmbench.core.model import ModelRequest
from mmbench.core.source import Modality

Side = Annotated[int, Field(ge=1)]


def _pair(value: Any) -> Any:
    return (value, value) if isinstance(value, int) else value


def _floats(value: Any) -> Any:
    return (value,) if isinstance(value, int | float) else value


Numbers = Annotated[tuple[float, ...], BeforeValidator(_floats)]


class Preprocess(BaseModel):
    """Preprocessing of one modality, applied in this order: resize to ``size`` (height, width), minus mean, over std.

    ``mean`` and ``std`` have one number or one per channel, in the range of the input: 0..1 for images, the suite's
    unit for planes. ``bilinear`` and ``bicubic`` use half-pixel centres, and antialiasing on images (as PIL does).
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    size: Annotated[tuple[Side, Side] | None, BeforeValidator(_pair)] = None
    mean: Numbers = ()
    std: Numbers = ()
    interpolation: Literal["nearest", "bilinear", "bicubic"] = "bilinear"

    @model_validator(mode="after")
    def _std_divides(self) -> Preprocess:
        if any(number <= 0 for number in self.std):
            raise ValueError("std must be above 0")
        return self

    def fits(self, channels: int) -> bool:
        """Whether mean and std have one number, or one per channel."""
        return all(len(numbers) in (0, 1, channels) for numbers in (self.mean, self.std))

    def apply(self, inputs: torch.Tensor, antialias: bool) -> torch.Tensor:
        """float32 [B,C,H,W] -> float32 [B,C,h,w]."""
        if self.size is not None and tuple(inputs.shape[-2:]) != self.size:
            inputs = self._resized(inputs, self.size, antialias)
        if self.mean:
            inputs = inputs - _per_channel(self.mean, inputs)
        return inputs / _per_channel(self.std, inputs) if self.std else inputs

    def _resized(self, inputs: torch.Tensor, size: tuple[int, int], antialias: bool) -> torch.Tensor:
        if self.interpolation == "nearest":
            return torch.nn.functional.interpolate(inputs, size=size, mode="nearest-exact")
        return torch.nn.functional.interpolate(
            inputs, size=size, mode=self.interpolation, align_corners=False, antialias=antialias
        )


def declared_preprocess(declared: Any, name: str, modalities: Mapping[str, Modality]) -> dict[str, Preprocess]:
    """Reads a model's ``preprocess``: one table for all inputs, or one per modality; None means nothing is done.

    In a table for all inputs, ``mean`` and ``std`` concern the images, where there are any. Raises LoadError with the
    wrong key.
    """
    if declared is None:
        declared = {}
    if not isinstance(declared, Mapping):
        raise LoadError(
            f"The model {name!r} declares preprocess as {type(declared).__name__}; expected a dict such as "
            "dict(size=(256, 256), mean=(0.5, 0.5, 0.5), std=(0.2, 0.2, 0.2))."
        )
    each = declared if declared and declared.keys() <= modalities.keys() else _for_all(declared, modalities)
    return {m: _read(each.get(m, {}), name, modality) for m, modality in modalities.items()}


def check_box_scale(name: str, preprocess: Mapping[str, Preprocess], request: ModelRequest) -> None:
    """Raises LoadError for a detector that has its inputs resized: its boxes would be in pixels of another picture."""
    if request.spec.task == "detection" and any(table.size is not None for table in preprocess.values()):
        raise LoadError(
            f"The model {name!r} declares preprocess.size, but boxes are in pixels of the suite's pictures; resize "
            "inside the module and return boxes of the picture that it was given."
        )


def recorded(preprocess: Mapping[str, Preprocess]) -> dict[str, Any]:
    """What differs from doing nothing, as JSON-able data, by modality."""
    tables = {m: table.model_dump(mode="json", exclude_defaults=True) for m, table in preprocess.items()}
    for m, table in tables.items():
        if "size" in table:
            table["interpolation"] = preprocess[m].interpolation
    return {m: table for m, table in tables.items() if table}


def _for_all(declared: Mapping[str, Any], modalities: Mapping[str, Modality]) -> dict[str, Any]:
    spatial = {key: value for key, value in declared.items() if key not in ("mean", "std")}
    images = [m for m, modality in modalities.items() if modality.kind == "image"] or list(modalities)
    return {m: dict(declared) if m in images else spatial for m in modalities}


def _read(table: Any, name: str, modality: Modality) -> Preprocess:
    try:
        preprocess = Preprocess.model_validate(table)
    except ValidationError as error:
        raise LoadError(
            f"The preprocess of model {name!r} for {modality.name!r} is wrong: {explain(error)}; expected size, mean, "
            "std and interpolation."
        ) from error
    if not preprocess.fits(modality.channels):
        raise LoadError(
            f"The preprocess of model {name!r} for {modality.name!r} has {len(preprocess.mean)} means and "
            f"{len(preprocess.std)} stds; expected 1 or {modality.channels} of each."
        )
    return preprocess


def _per_channel(numbers: Sequence[float], like: torch.Tensor) -> torch.Tensor:
    return torch.tensor(numbers, dtype=like.dtype, device=like.device).view(1, -1, 1, 1)
