"""``mmbench leaderboard DIR...``: finished runs as a table, CSV, Markdown or LaTeX.

The CSV is long and tidy: one line per suite, model, metric, class and slice, and one per bound (chance, U*, A*, F*).
Its columns, in this order, are public interface; ``mmbench.reports.tidy.COLUMNS`` holds each with a description:

suite, task, condition, line, model, modalities, metric, version, direction, primary, label, tag, slice, value, low,
high, level, method, estimand, n, groups, classes_absent, flags, reason, rank_first, rank_last, phi, phi_low, phi_high,
psi, psi_low, psi_high, regret, regret_low, regret_high, parameters, ms_per_item, peak_rss_mib, planned, scored, failed,
status, batch_size, device, precision, threads, superseded, weights, run, column, licence, sub_batch,
compiled, channels_last, peak_device_mib, seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmbench.cli import screen
from mmbench.core.errors import ExitCode, NotComparable, NothingMeasured, UsageError

if TYPE_CHECKING:
    from mmbench.reports.board import Leaderboard, View

_ALIASES = {"md": "markdown", "tex": "latex"}


def leaderboard(
    folders: Annotated[
        list[Path] | None, typer.Argument(metavar="[DIR]...", help="Folders with runs.", show_default="results")
    ] = None,
    form: Annotated[str, typer.Option("--format", "-f", help="table, csv, md or latex.")] = "table",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Write to this file, not to the screen.")
    ] = None,
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the CSV to this file as well.")] = None,
    metric: Annotated[list[str] | None, typer.Option("--metric", "-m", help="Show this metric as well.")] = None,
    sort: Annotated[str, typer.Option("--sort", help="score, model, parameters, ms or a metric.")] = "score",
    slices: Annotated[bool, typer.Option("--slices", help="Show each slice.")] = False,
    per_class: Annotated[bool, typer.Option("--per-class", help="Show each class.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit 4 when runs of one suite cannot be compared.")] = False,
    benchmark_json: Annotated[
        Path | None, typer.Option("--benchmark-json", help="Write the latency runs as JSON of pytest-benchmark.")
    ] = None,
    memory_json: Annotated[
        Path | None,
        typer.Option("--memory-json", help="Write their memory and energy as JSON of github-action-benchmark."),
    ] = None,
    cost: Annotated[
        str | None, typer.Option("--cost", help="Show quality against this cost: ms, memory or parameters.")
    ] = None,
    figure: Annotated[Path | None, typer.Option("--figure", help="Draw quality against cost: PNG or SVG.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, one object per line of the CSV.")] = False,
) -> int:
    """Show finished runs side by side: only numbers that may be compared stand in one column."""
    from mmbench.reports.board import View
    from mmbench.reports.leaderboard import check_metrics

    if as_json and (output or form != "table"):
        raise UsageError("--json prints to the screen and is a format of its own; leave out --format and -o.")
    render = _renderer(form)
    board = _measured(folders or [Path("results")], sort)
    if benchmark_json is not None or memory_json is not None:
        _export(folders or [Path("results")], benchmark_json, memory_json)
    if cost is not None or figure is not None:
        return _against_cost(board, cost or "ms", figure)
    check_metrics(board, metric or [])
    if strict and board.refused:
        more = f" ({len(board.refused)} such pairs)" if len(board.refused) > 1 else ""
        raise NotComparable(f"{board.refused[0]}{more}")
    if csv is not None:
        screen.save(csv, _renderer("csv")(board, View()))
    view = View(tuple(metric or ()), slices, per_class, screen.width(), output is None and screen.colour())
    if as_json:
        typer.echo(_as_json(board))
    elif output is not None:
        screen.save(output, render(board, view))
    else:
        screen.write(render(board, view))
    return ExitCode.OK


def _export(folders: list[Path], times: Path | None, memory: Path | None) -> None:
    from mmbench.core.performance import LATENCY
    from mmbench.reports.pytest_benchmark import export, smaller_is_better
    from mmbench.store import find_runs, load_rows

    runs = [run for run in find_runs(folders) if run.record.task == LATENCY]
    if not runs:
        raise NothingMeasured("There is no latency run to export; measure one with mmbench run --suite latency.")
    if times is not None:
        content = export([(run.record, load_rows(run.folder, run.record)) for run in runs])
        screen.save(times, json.dumps(content, indent=1, allow_nan=False) + "\n")
    if memory is not None:
        found = smaller_is_better([run.record for run in runs])
        screen.save(memory, json.dumps(found, indent=1, allow_nan=False) + "\n")


def _against_cost(board: Leaderboard, cost: str, figure: Path | None) -> ExitCode:
    from mmbench.reports.pareto import blocks, save_figure
    from mmbench.reports.terminal import drawn

    screen.write(drawn(blocks(board, cost), screen.width(), screen.colour()))
    if figure is not None:
        save_figure(board, cost, figure)
        typer.echo(f"Wrote {figure}.", err=True)
    return ExitCode.OK


def _renderer(form: str) -> Callable[[Leaderboard, View], str]:
    from mmbench.core import registry

    render: Callable[[Leaderboard, View], str] = registry.report.get(_ALIASES.get(form, form))
    return render


def _measured(folders: list[Path], sort: str) -> Leaderboard:
    from mmbench.reports.leaderboard import leaderboard as build
    from mmbench.store import find_runs, load_rows

    runs = find_runs(folders)
    places = {run.record.id: run.folder for run in runs}
    board = build((run.record for run in runs), lambda record: load_rows(places[record.id], record), sort=sort)
    if not any(cell.estimate.value is not None for table in board.tables for row in table.rows for cell in row.cells):
        raise NothingMeasured(
            f"None of the {len(runs)} runs found has a value; see mmbench show run RUN for the reasons."
        )
    return board


def _as_json(board: Leaderboard) -> str:
    from mmbench.reports.tidy import tidy

    refused = [
        {"metric": r.metric, "run": r.run, "other": r.other, "differences": list(r.differences)} for r in board.refused
    ]
    return json.dumps({"lines": list(tidy(board)), "refused": refused}, indent=1, allow_nan=False)
