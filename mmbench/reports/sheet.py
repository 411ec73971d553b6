"""A contact sheet: samples with their inputs, targets, predictions and errors as one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from mmbench.core.prediction import LabelMap
from mmbench.core.sample import Sample
from mmbench.core.source import Modality
from mmbench.core.targets import Boxes, Objects
from mmbench.reports.palette import IGNORED, class_colours
from mmbench.reports.sheet_cells import Cell, Shown, cells, is_map, lines
from mmbench.reports.sheet_objects import Colour, object_colours

_GAP = 6
_LINE = 14
_BACKGROUND = (245, 245, 245)
_INK = (20, 20, 20)
_ABSENT = (225, 225, 225)
# Of more classes than this the legend shows the first.
_LEGEND = 64
_NARROWEST = 420  # pixels: text under one picture needs room
_MOST_LINES = 8  # of text under the pictures of a sample


@dataclass(frozen=True, slots=True)
class _Row:
    title: str
    cells: list[Cell]
    lines: list[str]

    def height(self, cell: tuple[int, int]) -> int:
        pictures = _LINE + cell[1] if self.cells else 0
        return _LINE + pictures + len(self.lines) * _LINE + _GAP


def contact_sheet(
    samples: Sequence[Sample],
    modalities: Mapping[str, Modality],
    classes: Sequence[str],
    ignore: int | None,
    predictions: Mapping[str, LabelMap] | None = None,
    captions: Mapping[str, str] | None = None,
    cell: tuple[int, int] = (240, 180),
    heading: str = "",
) -> Image.Image:
    """An RGB picture with a row per sample: each modality, the target, and with a prediction it and its errors.

    Pictures are shrunk or enlarged to fit ``cell`` (width, height); an image shows its first three channels, a plane is
    grey from its smallest to its largest value, which stand above it, a recording is a spectrogram. Texts, and targets
    without a place in the picture, stand below. ``predictions`` and ``captions`` (a text behind the id) are by sample
    id, ``heading`` stands above all. At the end stand the colours of the classes, where colours are shown. Raises
    ValueError without a sample.
    """
    if not samples:
        raise ValueError("a contact sheet needs at least one sample")
    shown = Shown(modalities, classes, ignore)
    found = [list(cells(sample, shown, (predictions or {}).get(sample.id))) for sample in samples]
    columns = max(len(row) for row in found)
    width = max(_GAP + columns * (cell[0] + _GAP), 0 if any(map(is_map, (s.target for s in samples))) else _NARROWEST)
    rows = [
        _Row(
            f"{sample.id}  {(captions or {}).get(sample.id, '')}".rstrip(),
            row,
            [line for text in lines(sample, shown) for line in _wrapped(text, width - 2 * _GAP)][:_MOST_LINES],
        )
        for sample, row in zip(samples, found, strict=True)
    ]
    above = [line for line in _wrapped(heading, width - 2 * _GAP) if line]
    return _drawn([_Row(line, [], []) for line in above] + rows, _legend(samples, shown), width, cell)


def _legend(samples: Sequence[Sample], shown: Shown) -> list[tuple[str, Colour]]:
    """Names with their colours; none where no target is coloured."""
    names = list(shown.classes)[:_LEGEND]
    if any(isinstance(sample.target, Boxes | Objects) for sample in samples):
        return list(zip(names, object_colours(len(shown.classes)), strict=False))
    if not any(is_map(sample.target) for sample in samples):
        return []
    colours: list[Colour] = [(int(r), int(g), int(b)) for r, g, b in class_colours(len(names))]
    ignored = [("(ignored)", IGNORED)] if shown.ignore is not None else []
    return [*zip(names, colours, strict=True), *ignored]


def _drawn(
    rows: Sequence[_Row], legend: Sequence[tuple[str, Colour]], width: int, cell: tuple[int, int]
) -> Image.Image:
    places = _legend_places([name for name, _ in legend], width)
    below = places[-1][2] + _LINE + _GAP if places else 0
    height = _GAP + sum(row.height(cell) for row in rows) + below
    sheet = Image.new("RGB", (width, height), _BACKGROUND)
    draw = ImageDraw.Draw(sheet)
    top = _GAP
    for row in rows:
        _draw_row(sheet, draw, row, top, cell)
        top += row.height(cell)
    for (text, left, down), (_, colour) in zip(places, legend, strict=True):
        draw.rectangle((left, top + down + 1, left + 11, top + down + 12), fill=colour, outline=_INK)
        draw.text((left + 16, top + down), text, fill=_INK, font=_font())
    return sheet


def _draw_row(sheet: Image.Image, draw: ImageDraw.ImageDraw, row: _Row, top: int, cell: tuple[int, int]) -> None:
    _write(draw, (_GAP, top), row.title, sheet.width - 2 * _GAP)
    for column, item in enumerate(row.cells):
        _paste(sheet, draw, item, (_GAP + column * (cell[0] + _GAP), top + _LINE), cell)
    below = top + row.height(cell) - _GAP - len(row.lines) * _LINE
    for number, line in enumerate(row.lines):
        _write(draw, (_GAP, below + number * _LINE), line, sheet.width - 2 * _GAP)


def _paste(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, item: Cell, corner: tuple[int, int], cell: tuple[int, int]
) -> None:
    left, top = corner
    _write(draw, (left, top), item.title, cell[0])
    box = (left, top + _LINE)
    if item.picture is None:
        draw.rectangle((*box, box[0] + cell[0] - 1, box[1] + cell[1] - 1), fill=_ABSENT)
        return
    scale = min(cell[0] / item.picture.width, cell[1] / item.picture.height)
    # Whole numbers: stripes of few pixels would become of unequal width.
    scale = float(int(scale)) if scale > 1 else scale
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


def _wrapped(text: str, width: int) -> list[str]:
    """The text in lines of ``width`` pixels, broken between words; a longer word is cut where it is written."""
    found = [""]
    for word in _safe(text).split(" "):
        longer = f"{found[-1]} {word}".lstrip()
        if found[-1] and _font().getlength(longer) > width:
            found.append(word)
        else:
            found[-1] = longer
    return found


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
