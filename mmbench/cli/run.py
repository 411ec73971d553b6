"""``mmbench run``: measures models on suites."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmbench.core.errors import ExitCode

if TYPE_CHECKING:
    from mmbench.cli.watching import Reporter
    from mmbench.runner.campaign import Task
    from mmbench.runner.measure import RunOptions


def _option(panel: str, *names: str, **settings: Any) -> Any:
    return typer.Option(*names, rich_help_panel=panel, **settings)


_WHAT, _OWN, _HOW, _OUT = "What is measured", "Your own module", "How it is measured", "What comes out"
_LATENCY = "With --suite latency"
_PAIR = {"metavar": "NAME=VALUE"}
_CODE = {"metavar": "FILE.py:CLASS"}

Suites = Annotated[list[str], _option(_WHAT, help="Name, reference like seg@1\\[regime=S4], or TOML file; repeat.")]
Models = Annotated[
    list[str],
    _option(
        _WHAT,
        help="Checkpoint (globs too), baseline:NAME, oracle:joint, python:FILE:FACTORY, predictions:DIR; repeat.",
    ),
]
Settings = Annotated[list[str] | None, _option(_WHAT, "--set", **_PAIR, help="A parameter of the suite; repeat.")]
Tier = Annotated[str | None, _option(_WHAT, help="The suite's size: short for --set tier=TIER.")]
Conditions = Annotated[
    list[str] | None,
    _option(
        _WHAT,
        "--condition",
        metavar="NAME:MODALITY=SEVERITY",
        help="Change the inputs, as in noise:rgb=3; severity 0 to 5, 0 changes nothing; repeat.",
    ),
]
Limit = Annotated[int | None, _option(_WHAT, min=1, help="A random subset of so many samples, stratified.")]
LimitSeed = Annotated[int, _option(_WHAT, min=0, help="Chooses another subset.")]
Roots = Annotated[
    list[str] | None, _option(_WHAT, metavar="[SUITE=]PATH", help="Folder of the data; else under MMBENCH_DATA.")
]
Arch = Annotated[str | None, _option(_OWN, **_CODE, help="Build the model with this code; it is run.")]
ArchKwargs = Annotated[str | None, _option(_OWN, metavar="NAME=VALUE,...", help="Arguments of CLASS.")]
Key = Annotated[str | None, _option(_OWN, help="Where in the checkpoint the weights are.")]
Inference = Annotated[
    str | None, _option(_WHAT, help="Protocol of segmentation: whole, cmx-ms-flip, mmseg-slide; else the suite's own.")
]
Partial = Annotated[bool, _option(_OWN, "--partial", help="Allow weights that do not all fit; the row tells.")]
AllowCode = Annotated[bool, _option(_OWN, "--allow-code", help="Run the program that a model file holds.")]
DeviceMap = Annotated[str | None, _option(_OWN, help="How transformers spreads a model: auto, balanced, ...")]
Prompt = Annotated[str | None, _option(_OWN, help="What a model that answers in text is asked; {question} is filled.")]
Map = Annotated[str | None, _option(_OWN, "--map", metavar="MODALITY=ARGUMENT,...", help="Or: positional.")]
Output = Annotated[str | None, _option(_OWN, help="The part of the output that is scored: a name or an index.")]
BatchSize = Annotated[int, _option(_HOW, min=1, help="Samples per batch; halved where memory ends.")]
Device = Annotated[str, _option(_HOW, help="auto, cpu, cuda, cuda:N or mps.")]
Precision = Annotated[str, _option(_HOW, help="fp32, tf32, bf16 or fp16; several for latency: fp32,bf16.")]
Compile = Annotated[bool, _option(_HOW, "--compile", help="Run the module under torch.compile.")]
ChannelsLast = Annotated[bool, _option(_HOW, "--channels-last", help="Keep channels last in memory.")]
Threads = Annotated[int | None, _option(_HOW, min=1, help="CPU threads of the model.")]
Workers = Annotated[int, _option(_HOW, min=0, help="Processes that load samples; 0: one thread.")]
Draws = Annotated[int, _option(_HOW, min=100, help="Bootstrap draws of each interval.")]
Fresh = Annotated[bool, _option(_HOW, "--fresh", help="Start anew beside an unfinished run.")]
DryRun = Annotated[bool, _option(_HOW, "--dry-run", help="Say what would be done, and run nothing.")]
Batch = Annotated[
    str | None, _option(_LATENCY, metavar="N,N,...", help="Batch sizes, all measured; else 1 to 32 while it gains.")
]
InputsFrom = Annotated[
    str | None, _option(_LATENCY, metavar="SUITE", help="Time on samples of this suite; else of the model's own.")
]
Slo = Annotated[float | None, _option(_LATENCY, metavar="MS", help="The limit of the server; else 5 typical requests.")]
Budget = Annotated[float, _option(_LATENCY, metavar="MINUTES", help="Start no process after so many minutes.")]
Resident = Annotated[bool, _option(_LATENCY, "--resident", help="One process alone: for models too big to restart.")]
LockClocks = Annotated[int | None, _option(_LATENCY, metavar="MHZ", help="Lock the GPU's clock meanwhile.")]
Figure = Annotated[Path | None, _option(_LATENCY, metavar="FILE", help="Draw time and throughput: PNG or SVG.")]
Results = Annotated[Path, _option(_OUT, "--results", "-o", help="Where the run's folder is put.")]
Predictions = Annotated[
    Path | None, _option(_OUT, metavar="DIR", help="Write label PNGs, and the worst eight as one picture.")
]
TensorBoard = Annotated[
    Path | None, _option(_OUT, metavar="DIR", help="Write event files: scores with intervals, cost, the card.")
]
AsJson = Annotated[bool, _option(_OUT, "--json", help="Print JSON for machines, and nothing else.")]


def run(
    context: typer.Context,
    suite: Suites,
    model: Models,
    settings: Settings = None,
    tier: Tier = None,
    condition: Conditions = None,
    limit: Limit = None,
    limit_seed: LimitSeed = 0,
    data_root: Roots = None,
    inference: Inference = None,
    arch: Arch = None,
    arch_kwargs: ArchKwargs = None,
    key: Key = None,
    partial: Partial = False,
    allow_code: AllowCode = False,
    device_map: DeviceMap = None,
    prompt: Prompt = None,
    map_: Map = None,
    output: Output = None,
    batch_size: BatchSize = 32,
    device: Device = "auto",
    precision: Precision = "fp32",
    compile_: Compile = False,
    channels_last: ChannelsLast = False,
    threads: Threads = None,
    workers: Workers = 0,
    draws: Draws = 1000,
    fresh: Fresh = False,
    dry_run: DryRun = False,
    batch: Batch = None,
    inputs_from: InputsFrom = None,
    slo: Slo = None,
    budget: Budget = 2.5,
    resident: Resident = False,
    lock_clocks: LockClocks = None,
    figure: Figure = None,
    results: Results = Path("results"),
    save_predictions: Predictions = None,
    tensorboard: TensorBoard = None,
    as_json: AsJson = False,
) -> int:
    """Measure models on suites: a score with its interval, a record, and a line for the leaderboard.

    An unfinished run of the same command is resumed where it stopped.
    """
    from mmbench.adapters.user_code import parse_arch_kwargs
    from mmbench.cli.latency import LatencyFlags, is_latency, latency
    from mmbench.core.model import ModelOptions
    from mmbench.runner.campaign import tasks
    from mmbench.runner.measure import RunOptions
    from mmbench.runner.suites import SuiteChoice, open_suite, parse_roots, parse_settings

    if tensorboard is not None:
        from mmbench.reports.event_files import require

        require("--tensorboard")
    chosen = parse_settings([*(settings or ()), *([f"tier={tier}"] if tier else ())])
    choice = SuiteChoice(
        chosen, limit, limit_seed, parse_roots(data_root or ()), conditions=condition or (), inference=inference
    )
    kwargs = parse_arch_kwargs(arch_kwargs) if arch_kwargs else {}
    options = RunOptions(
        results=results,
        model=ModelOptions(
            arch=arch,
            arch_kwargs=kwargs,
            key=key,
            map=map_,
            output=output,
            device=device,
            precision=precision,
            threads=threads,
            partial=partial,
            allow_code=allow_code,
            device_map=device_map,
            prompt=prompt,
            compile=compile_,
            channels_last=channels_last,
        ),
        batch_size=batch_size,
        workers=workers,
        draws=draws,
        fresh=fresh,
        argv=("mmbench", *(context.obj or sys.argv[1:])),
    )
    if is_latency(suite):
        flags = LatencyFlags(batch, compile_, inputs_from, slo, budget, resident, lock_clocks, figure)
        return latency(model, options, flags, choice, dry_run, as_json)
    todo = tasks([open_suite(text, choice) for text in suite], model)
    if dry_run:
        return _preview(todo, options, as_json)
    return measure_all(todo, options, save_predictions, as_json, tensorboard)


def measure_all(
    todo: list[Task], options: RunOptions, predictions: Path | None, as_json: bool, tensorboard: Path | None = None
) -> ExitCode:
    """Does the runs and prints what they came to; a failure of the only run is raised."""
    from mmbench.cli.watching import Reporter, failure_as_json, run_as_json
    from mmbench.runner.campaign import run_all

    alone = len(todo) == 1
    reporter = Reporter(quiet=as_json, alone=alone and not as_json)
    try:
        code = run_all(todo, options, reporter)
    finally:
        reporter.stop()
    if reporter.failures and alone and not as_json:
        raise reporter.failures[0][1]
    saved = _save_predictions(reporter, predictions, alone) if predictions else {}
    if tensorboard is not None:
        _write_events(reporter, tensorboard)
    if as_json:
        runs = [run_as_json(run, saved.get(run.name)) for _, run in reporter.finished_runs]
        _print_json({"runs": runs, "failures": [failure_as_json(*failure) for failure in reporter.failures]})
    elif reporter.finished_runs:
        _conclude(reporter, options.results, saved)
    return code


def _conclude(reporter: Reporter, results: Path, saved: dict[str, Path]) -> None:
    """The leaderboard of several runs, where predictions went, and the next command."""
    import shlex

    from mmbench.cli import screen
    from mmbench.reports import table
    from mmbench.reports.board import View
    from mmbench.reports.leaderboard import leaderboard
    from mmbench.store import load_rows

    folders = {run.record.id: run.folder for _, run in reporter.finished_runs}
    if len(folders) > 1:
        records = [run.record for _, run in reporter.finished_runs]
        board = leaderboard(records, lambda record: load_rows(folders[record.id], record))
        view = View(width=screen.width(), colour=screen.colour())
        screen.write(f"\n{table.render(board, view)}\n")
    for folder in saved.values():
        screen.write(f"Predictions: {folder} (the worst of them as one picture: worst.png)\n")
    screen.write(f"Next: mmbench leaderboard {shlex.quote(str(results))}\n")


def _save_predictions(reporter: Reporter, folder: Path, alone: bool) -> dict[str, Path]:
    from mmbench.reports.predictions import save_predictions

    saved = {}
    for prepared, run in reporter.finished_runs:
        saved[run.name] = folder if alone else folder / run.name
        save_predictions(saved[run.name], run, prepared.suite)
    return saved


def _write_events(reporter: Reporter, folder: Path) -> None:
    from mmbench.reports.event_files import write_run

    for _, run in reporter.finished_runs:
        write_run(run.record, folder / run.name)


def _preview(todo: list[Task], options: RunOptions, as_json: bool) -> ExitCode:
    from mmbench.reports.dry_run import lines
    from mmbench.runner.measure import prepare
    from mmbench.runner.preview import preview

    found = [preview(prepare(task.suite, task.locator, options), options) for task in todo]
    if as_json:
        _print_json({"dry_run": [p.as_dict() for p in found]})
    else:
        for line in (line for p in found for line in lines(p)):
            typer.echo(line)
    return ExitCode.OK


def _print_json(content: dict[str, Any]) -> None:
    typer.echo(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False))
