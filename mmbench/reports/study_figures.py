"""Figures of a study: score against cost with intervals, score against labels."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmbench.core.errors import UsageError
from mmbench.reports.palette import line_colours
from mmbench.study.table import Line, StudyTable

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = ("png", "svg")
_CONTROL = "#9a9a9a"
_WIDTH, _HEIGHT = 7.0, 4.2  # inches


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
    figure = _figure(2)
    costs: dict[str, Callable[[Line], float | None]] = {
        "parameters beside the encoders": lambda line: line.cost.fusion_parameters,
        "milliseconds per item": lambda line: line.cost.ms_per_item,
    }
    for axes, (label, cost) in zip(figure.axes, costs.items(), strict=True):
        _bounds(axes, table)
        for line in table.lines:
            x = cost(line)
            if x:
                _point(axes, line, x)
        axes.set_xscale("log")
        axes.set_xlabel(label)
    figure.axes[0].set_ylabel(table.metric)
    figure.suptitle(_title(table), fontsize=9)
    return figure


def labels_figure(table: StudyTable) -> Figure:
    """Mean scores against the number of training labels, a line a strategy."""
    figure = _figure(1)
    (axes,) = figure.axes
    curves = {line.name: line.by_labels for line in table.lines if len(line.by_labels) > 1}
    _bounds(axes, table)
    _curves(axes, curves)
    if table.goal is not None:
        axes.axhline(table.goal, color=_CONTROL, linewidth=0.8, linestyle="--")
    axes.set_xscale("log")
    axes.set_xlabel("training labels")
    axes.set_ylabel(table.metric)
    axes.legend(fontsize=6, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.suptitle(_title(table), fontsize=9)
    return figure


def _figure(panels: int) -> Figure:
    import matplotlib
    from matplotlib.figure import Figure

    # Equal content gives equal bytes.
    matplotlib.rcParams["svg.hashsalt"] = "mmbench"
    figure = Figure(figsize=(_WIDTH, _HEIGHT), layout="constrained", dpi=150)
    figure.subplots(1, panels, sharey=True)
    return figure


def _point(axes: Axes, line: Line, x: float) -> None:
    colour = _CONTROL if line.control else "black"
    score = line.score
    reach = None if score.low is None or score.high is None else [[score.value - score.low], [score.high - score.value]]
    axes.errorbar([x], [score.value], yerr=reach, fmt="s" if line.control else "o", color=colour, markersize=3.5)
    axes.annotate(line.name, (x, score.value), (3, 3), textcoords="offset points", fontsize=6, color=colour)


def _curves(axes: Axes, curves: Mapping[str, Sequence[tuple[int, float]]]) -> None:
    for (name, points), colour in zip(curves.items(), line_colours(len(curves)), strict=True):
        labels, scores = zip(*points, strict=True)
        axes.plot(labels, scores, color=colour, marker="o", markersize=3, linewidth=1, label=name)


def _bounds(axes: Axes, table: StudyTable) -> None:
    if table.bounds is None:
        return
    for value, name in ((table.bounds.fused, "F*"), (table.bounds.best_unimodal, "U*")):
        axes.axhline(value, color=_CONTROL, linewidth=0.8)
        axes.annotate(
            name, (0, value), (2, 2), xycoords=("axes fraction", "data"), textcoords="offset points", fontsize=6
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
