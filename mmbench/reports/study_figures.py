"""Figures of a study: score against cost with intervals, score against labels."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmbench.core.errors import UsageError
from mmbench.reports import numbers
from mmbench.reports.palette import line_colours
from mmbench.study.table import NEARLY, Line, StudyTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg")
_CONTROL = "#9a9a9a"
# Inches; of the height, _REST is left for titles and ticks.
_WIDTH, _HEIGHT, _REST, _NAME = 7.5, 4.2, 1.0, 0.105
_FONT = 6


def save_figures(table: StudyTable, folder: Path, form: str) -> list[Path]:
    """Writes ``<suite>-<track>-cost`` and, where there are several label shares, ``-labels``; returns the files.

    Raises UsageError when they cannot be written.
    """
    made = {"cost": cost_figure(table)}
    if any(len(line.by_labels) > 1 for line in table.lines):
        made["labels"] = labels_figure(table)
    name = re.sub(r"[^A-Za-z0-9=._]+", "-", f"{table.suite}-{table.track}")
    files = []
    for kind, figure in made.items():
        file = folder / f"{name}-{kind}.{form}"
        _save(figure, file, form)
        files.append(file)
    return files


def cost_figure(table: StudyTable) -> Figure:
    """Scores with intervals, against the parameters of the fusion and against milliseconds per item."""
    lines = list(table.lines)
    figure = _figure(2, len(lines))
    costs: dict[str, Callable[[Line], float | None]] = {
        "parameters of the fusion": lambda line: line.cost.fusion_parameters,
        "milliseconds per item": lambda line: line.cost.ms_per_item,
    }
    colours = _colours(lines)
    for axes, (label, cost) in zip(figure.axes, costs.items(), strict=True):
        _bounds(axes, table)
        for number, line in enumerate(lines, 1):
            _point(axes, line, cost(line), number, colours[line.name])
        _cost_axis(axes, [x for line in lines if (x := cost(line))], label)
    _numbered(figure.axes[-1], [(line.name, colours[line.name]) for line in lines])
    figure.axes[0].set_ylabel(table.metric)
    figure.suptitle(_title(table), fontsize=9)
    return figure


def labels_figure(table: StudyTable) -> Figure:
    """Mean scores against the number of training labels, a line a strategy."""
    lines = [line for line in table.lines if len(line.by_labels) > 1]
    figure = _figure(1, len(lines))
    (axes,) = figure.axes
    colours = _colours(lines)
    _bounds(axes, table)
    if table.goal is not None:
        _level(axes, table.goal, f"{NEARLY:.0%}", linestyle="--")
    for line in lines:
        labels, scores = zip(*line.by_labels, strict=True)
        axes.plot(labels, scores, color=colours[line.name], marker="o", markersize=3, linewidth=1)
    axes.set_xscale("log")
    counts = sorted({labels for line in lines for labels, _ in line.by_labels})
    axes.set_xticks(counts, [f"{count:,}" for count in counts], minor=False)
    axes.set_xticks([], minor=True)
    _names(axes, [(line.by_labels[-1][1], line.name, colours[line.name]) for line in lines])
    axes.set_xlabel("training labels")
    axes.set_ylabel(table.metric)
    figure.suptitle(_title(table), fontsize=9)
    return figure


def _figure(panels: int, names: int) -> Figure:
    import matplotlib
    from matplotlib.figure import Figure

    # Equal content gives equal bytes.
    matplotlib.rcParams["svg.hashsalt"] = "mmbench"
    figure = Figure(figsize=(_WIDTH, _height(names)), layout="constrained", dpi=150)
    figure.subplots(1, panels, sharey=True)
    return figure


def _colours(lines: Sequence[Line]) -> dict[str, str | tuple[float, float, float]]:
    strategies = [line.name for line in lines if not line.control]
    found = dict(zip(strategies, line_colours(len(strategies)), strict=True))
    return {line.name: found.get(line.name, _CONTROL) for line in lines}


def _point(axes: Axes, line: Line, x: float | None, number: int, colour: Any) -> None:
    if not x:
        return  # an encoder alone has no fusion to count
    score = line.score
    reach = None if score.low is None or score.high is None else [[score.value - score.low], [score.high - score.value]]
    shape = "s" if line.control else "o"
    axes.errorbar([x], [score.value], yerr=reach, fmt=shape, color=colour, markersize=3, elinewidth=0.8)
    axes.annotate(str(number), (x, score.value), (3, 1), textcoords="offset points", fontsize=_FONT, color=colour)


def _cost_axis(axes: Axes, costs: Sequence[float], label: str) -> None:
    """Logarithmic where costs differ by a factor of ten and more."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xlabel(label)
    if costs and max(costs) > 10 * min(costs):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0) if max(costs) < 300 * min(costs) else (1.0,)))
        axes.xaxis.set_minor_formatter(NullFormatter())
        axes.xaxis.set_major_formatter(
            FuncFormatter(lambda value, _: numbers.count(round(value)) if value >= 1 else f"{value:g}")
        )


def _numbered(axes: Axes, names: Sequence[tuple[str, Any]]) -> None:
    """A list right of the axes: the numbers of points, best first."""
    for number, (name, colour) in enumerate(names, 1):
        _beside(axes, f"{number} {name}", 1.0 - (number - 0.5) * _gap(len(names)), colour)


def _names(axes: Axes, wanted: Sequence[tuple[float, str, Any]]) -> None:
    """Names right of the axes, as near to their height as they go without touching, with a line to where it is."""
    low, high = axes.get_ylim()
    heights = [(value - low) / (high - low) for value, _, _ in wanted]
    for place, height, (_, name, colour) in zip(apart(heights, _gap(len(wanted))), heights, wanted, strict=True):
        _beside(axes, name, place, colour, height)
    axes.set_ylim(low, high)


def _beside(axes: Axes, text: str, place: float, colour: Any, height: float | None = None) -> None:
    line = {"arrowstyle": "-", "color": colour, "linewidth": 0.4, "shrinkA": 0, "shrinkB": 0, "relpos": (0, 0.5)}
    axes.annotate(
        text,
        (1.0, place if height is None else height),
        (1.05, place),
        xycoords="axes fraction",
        textcoords="axes fraction",
        fontsize=_FONT,
        color=colour,
        verticalalignment="center",
        arrowprops=None if height is None else line,
    )


def _height(names: int) -> float:
    """Of a figure in inches, with room for so many names beside the axes."""
    return max(_HEIGHT, _REST + names * _NAME)


def _gap(names: int) -> float:
    """The height of a name as a share of that of the axes."""
    return _NAME / (_height(names) - _REST)


def apart(heights: Sequence[float], gap: float) -> list[float]:
    """Heights in 0..1, moved as little as it takes to lie ``gap`` apart: what touches moves as one block."""
    order = sorted(range(len(heights)), key=lambda n: heights[n])
    blocks: list[list[int]] = []
    for n in order:
        blocks.append([n])
        while len(blocks) > 1 and _bottom(blocks[-1], heights, gap) < _bottom(blocks[-2], heights, gap) + gap * len(
            blocks[-2]
        ):
            last = blocks.pop()
            blocks[-1] += last
    placed = [0.0] * len(heights)
    for block in blocks:
        bottom = _bottom(block, heights, gap)
        for place, n in enumerate(block):
            placed[n] = bottom + gap * place
    return placed


def _bottom(block: Sequence[int], heights: Sequence[float], gap: float) -> float:
    """Of a block around the middle of its own heights, inside the axes if it fits."""
    middle = sum(heights[n] for n in block) / len(block)
    return max(0.0, min(middle - gap * (len(block) - 1) / 2, 1.0 - gap * (len(block) - 1)))


def _bounds(axes: Axes, table: StudyTable) -> None:
    if table.bounds is None:
        return
    _level(axes, table.bounds.fused, "F*")
    _level(axes, table.bounds.best_unimodal, "U*")


def _level(axes: Axes, value: float, name: str, linestyle: str = "-") -> None:
    axes.axhline(value, color=_CONTROL, linewidth=0.8, linestyle=linestyle)
    axes.annotate(
        name, (0, value), (2, 2), xycoords=("axes fraction", "data"), textcoords="offset points", fontsize=_FONT
    )


def _title(table: StudyTable) -> str:
    return f"{table.suite}, {table.track} encoders, {table.seeds} seeds"


def _save(figure: Figure, file: Path, form: str) -> None:
    metadata: dict[str, Any] = {"Date": None} if form == "svg" else {"Software": None}
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(file, format=form, metadata=metadata)
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror}); choose another folder.") from error
