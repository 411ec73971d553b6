"""``mmbench score``: official result files in, numbers out; no model, no torch."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmbench.core.errors import ExitCode, UsageError

if TYPE_CHECKING:
    from mmbench.reports.board import Leaderboard
    from mmbench.runner.measure import RunOptions
    from mmbench.runner.suites import OpenedSuite
    from mmbench.store import StoredRun


def score(
    context: typer.Context,
    suite: Annotated[str, typer.Option(help="Name, reference like caption-coco@1\\[set=val2017], or TOML file.")],
    predictions: Annotated[
        list[Path], typer.Option("--predictions", "-p", help="Result file, or folder of label images; repeat.")
    ],
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="NAME=VALUE", help="A parameter of the suite; repeat.")
    ] = None,
    data_root: Annotated[
        list[str] | None, typer.Option(metavar="[SUITE=]PATH", help="Folder of the data; else under MMBENCH_DATA.")
    ] = None,
    annotations: Annotated[
        Path | None, typer.Option(help="Score against this annotation file, not the one of the suite.")
    ] = None,
    common_ids: Annotated[
        bool, typer.Option("--common-ids", help="Only the samples that every result file names, in one column.")
    ] = False,
    draws: Annotated[int, typer.Option(min=100, help="Bootstrap draws of each interval.")] = 1000,
    results: Annotated[Path, typer.Option("--results", "-o", help="Where the records are put.")] = Path("results"),
    csv: Annotated[Path | None, typer.Option("--csv", help="Write the leaderboard to this file as well.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON for machines, and nothing else.")] = False,
) -> int:
    """Score official result files: the official numbers with intervals; several files make a leaderboard.

    mmbench score --suite caption-coco --data-root DIR -p captions_results.json

    mmbench score --suite vqa-v2 --annotations v2_mscoco_val2014_annotations.json -p a.json -p b.json --common-ids
    """
    from mmbench.adapters.results.reading import has_result_files
    from mmbench.runner.measure import RunOptions, now
    from mmbench.runner.result_files import ScoreOptions, score_files
    from mmbench.runner.suites import SuiteChoice, open_suite, parse_roots, parse_settings

    roots = parse_roots(data_root or ())
    chosen = parse_settings(settings or ())
    opened = open_suite(suite, SuiteChoice(chosen, roots=roots, annotations=annotations))
    argv = ("mmbench", *(context.obj or sys.argv[1:]))
    if not has_result_files(opened.spec.task):
        if common_ids or csv is not None:
            name = opened.spec.name
            raise UsageError(f"--common-ids and --csv are for result files; predictions of suite {name!r} are folders.")
        return _folders(opened, predictions, RunOptions(results=results, draws=draws, argv=argv), as_json)
    runs = score_files(opened, predictions, ScoreOptions(results, draws, common_ids, argv), now)
    _report(runs, csv, as_json)
    return ExitCode.SAMPLES_FAILED if any(run.record.status == "partial" for run in runs) else ExitCode.OK


def _folders(opened: OpenedSuite, predictions: list[Path], options: RunOptions, as_json: bool) -> ExitCode:
    """Label images are scored sample by sample, as a run of the model ``predictions:DIR``."""
    from mmbench.cli.run import measure_all
    from mmbench.runner.campaign import tasks

    todo = tasks([opened], [f"predictions:{folder}" for folder in predictions])
    return measure_all(todo, options, None, as_json)


def _report(runs: list[StoredRun], csv: Path | None, as_json: bool) -> None:
    if as_json:
        found = [{"folder": str(run.folder), "record": run.record.model_dump(mode="json")} for run in runs]
        typer.echo(json.dumps({"runs": found}, indent=1, ensure_ascii=False, allow_nan=False))
    else:
        _print(runs)
    if csv is not None:
        _write_csv(runs, csv)


def _print(runs: list[StoredRun]) -> None:
    from mmbench.cli import screen
    from mmbench.reports import run_card, table
    from mmbench.reports.board import View
    from mmbench.reports.summary import summary
    from mmbench.reports.terminal import drawn

    for run in runs:
        screen.write("".join(f"{line}\n" for line in summary(run.record)))
        screen.write(f"  {run.folder}\n")
    if len(runs) > 1:
        view = View(width=screen.width(), colour=screen.colour())
        screen.write(f"\n{table.render(_board(runs), view)}\n")
    else:
        screen.write(drawn(run_card.scores(runs[0].record), screen.width(), screen.colour()))
    screen.write(f"Next: mmbench show run {runs[-1].name}\n")


def _board(runs: list[StoredRun]) -> Leaderboard:
    from mmbench.reports.leaderboard import leaderboard
    from mmbench.store import load_rows

    folders = {run.record.id: run.folder for run in runs}
    return leaderboard([run.record for run in runs], lambda record: load_rows(folders[record.id], record))


def _write_csv(runs: list[StoredRun], file: Path) -> None:
    from mmbench.reports import csv
    from mmbench.reports.board import View

    try:
        file.write_text(csv.render(_board(runs), View()), encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"{file} cannot be written ({error.strerror}); choose another file.") from error
