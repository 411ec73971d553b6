"""A contact sheet: samples with their modalities, labels, predictions and errors as one picture."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from mmbench.core.prediction import LabelMap
from mmbench.core.sample import Sample
from mmbench.core.source import Modality
from mmbench.reports.palette import IGNORED, class_colours, colour_labels, error_map

_GAP = 6
_LINE = 14
_BACKGROUND = (245, 245, 245)
_INK = (20, 20, 20)
_ABSENT = (225, 225, 225)
# Of more classes than this the legend shows the first.
_LEGEND = 64


@dataclass(frozen=True, slots=True)
class _Cell:
    title: str
    picture: Image.Image | None


def contact_sheet(
    samples: Sequence[Sample],
    modalities: Mapping[str, Modality],
    classes: Sequence[str],
    ignore: int | None,
    predictions: Mapping[str, LabelMap] | None = None,
    captions: Mapping[str, str] | None = None,
    cell: tuple[int, int] = (240, 180),
) -> Image.Image:
    """An RGB picture with a row per sample: each modality, the labels, and with a prediction it and its errors.

    Pictures are shrunk or enlarged to fit ``cell`` (width, height); an image shows its first three channels, a plane is
    grey from its smallest to its largest value, which stand above it. ``predictions`` and ``captions`` (a text behind
    the id) are by sample id. Below stand the colours of the classes.
    """
    if not samples:
        raise ValueError("a contact sheet needs at least one sample")
    rows = [
        list(_cells(sample, modalities, len(classes), ignore, (predictions or {}).get(sample.id))) for sample in samples
    ]
    columns = max(len(row) for row in rows)
    width = _GAP + columns * (cell[0] + _GAP)
    shown = list(classes)[:_LEGEND]
    legend = _legend_places([*shown, "(ignored)"] if ignore is not None else shown, width)
    row_height = 2 * _LINE + cell[1] + _GAP
    height = _GAP + len(rows) * row_height + legend[-1][2] + _LINE + _GAP
    sheet = Image.new("RGB", (width, height), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    for index, (sample, row) in enumerate(zip(samples, rows, strict=True)):
        top = _GAP + index * row_height
        title = f"{sample.id}  {(captions or {}).get(sample.id, '')}".rstrip()
        _write(draw, (_GAP, top), title, width - 2 * _GAP)
        for column, item in enumerate(row):
            _paste(sheet, draw, item, (_GAP + column * (cell[0] + _GAP), top + _LINE), cell)
    _draw_legend(draw, legend, len(classes), _GAP + len(rows) * row_height)
    return sheet


def _cells(
    sample: Sample, modalities: Mapping[str, Modality], count: int, ignore: int | None, prediction: LabelMap | None
) -> Iterator[_Cell]:
    for name, modality in modalities.items():
        yield _input(name, modality, sample.inputs.get(name))
    target = np.asarray(sample.target)
    yield _Cell("labels", Image.fromarray(colour_labels(target, count, ignore)))
    if prediction is not None:
        yield _Cell("prediction", Image.fromarray(colour_labels(prediction.labels, count, None)))
        errors = error_map(target, prediction.labels, ignore)
        yield _Cell("errors (orange)", Image.fromarray(errors))


def _input(name: str, modality: Modality, value: NDArray[Any] | None) -> _Cell:
    if value is None:
        return _Cell(f"{name}: absent", None)
    if modality.kind == "image":
        pixels = value[..., :3] if value.shape[2] >= 3 else value[..., 0]
        return _Cell(name, Image.fromarray(np.ascontiguousarray(pixels)))
    low, high = float(np.nanmin(value)), float(np.nanmax(value))
    span = high - low if high > low else 1.0
    grey = np.nan_to_num((value.astype(np.float64) - low) / span * 255.0).round().astype(np.uint8)
    return _Cell(f"{name} {low:.4g} to {high:.4g} {modality.unit}".rstrip(), Image.fromarray(grey))


def _paste(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, item: _Cell, corner: tuple[int, int], cell: tuple[int, int]
) -> None:
    left, top = corner
    _write(draw, (left, top), item.title, cell[0])
    box = (left, top + _LINE)
    if item.picture is None:
        draw.rectangle((*box, box[0] + cell[0] - 1, box[1] + cell[1] - 1), fill=_ABSENT)
        return
    scale = min(cell[0] / item.picture.width, cell[1] / item.picture.height)
    size = (max(1, round(item.picture.width * scale)), max(1, round(item.picture.height * scale)))
    # Classes must not be mixed to colours that no class has: nearest for all, and what is enlarged stays sharp.
    sheet.paste(item.picture.resize(size, Image.Resampling.NEAREST).convert("RGB"), box)


def _legend_places(names: Sequence[str], width: int) -> list[tuple[str, int, int]]:
    """Each name with its place (left, top), in lines of ``width``."""
    places, left, top = [], _GAP, 0
    for name in names:
        text = _safe(name)[:40]
        needed = 16 + round(_font().getlength(text)) + 12
        if left + needed > width and left > _GAP:
            left, top = _GAP, top + _LINE + 2
        places.append((text, left, top))
        left += needed
    return places


def _draw_legend(draw: ImageDraw.ImageDraw, places: Sequence[tuple[str, int, int]], count: int, offset: int) -> None:
    colours = [tuple(int(v) for v in colour) for colour in class_colours(min(count, _LEGEND))]
    for (text, left, top), colour in zip(places, [*colours, IGNORED], strict=False):
        draw.rectangle((left, offset + top + 1, left + 11, offset + top + 12), fill=colour, outline=_INK)
        draw.text((left + 16, offset + top), text, fill=_INK, font=_font())


def _write(draw: ImageDraw.ImageDraw, place: tuple[int, int], text: str, width: int) -> None:
    """One line, cut to ``width`` pixels."""
    line = _safe(text)
    while line and _font().getlength(line) > width:
        line = line[:-1]
    draw.text(place, line, fill=_INK, font=_font())


def _font() -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default()


def _safe(text: str) -> str:
    """What every font of PIL has; all else, and what does not print, is written as an escape."""
    return "".join(c if c.isprintable() and c.isascii() else c.encode("unicode_escape").decode("ascii") for c in text)
