"""``mmbench study``: trains and compares fusion strategies on the same footing."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmbench.cli import screen
from mmbench.cli.training_flags import height_and_width, one_of, positive_rate, power_of_two, require_torch
from mmbench.core.errors import ExitCode, UsageError, worst

if TYPE_CHECKING:
    from mmbench.study.design import Design, Track
    from mmbench.study.execute import Done
    from mmbench.study.opening import Opening
    from mmbench.study.table import StudyTable


def _option(panel: str, *names: str, **settings: Any) -> Any:
    return typer.Option(*names, rich_help_panel=panel, **settings)


_WHAT, _FAIR, _HOW, _OUT = "What is compared", "On what footing", "How it is trained", "What comes out"

Suites = Annotated[list[str], _option(_WHAT, help="Name, reference like 'cls-it\\[regime=M16]', or TOML file; repeat.")]
Fusions = Annotated[str, _option(_WHAT, metavar="NAME,NAME,...", help="Fusions (mmbench show fusions), or all.")]
Seeds = Annotated[int, _option(_WHAT, min=1, help="Trainings of each; 3 are the fewest for a claim, better 5.")]
Against = Annotated[str, _option(_WHAT, metavar="NAME", help="The strategy that all are compared with.")]
Settings = Annotated[list[str] | None, _option(_WHAT, "--set", metavar="NAME=VALUE", help="A parameter of the suites.")]
Tier = Annotated[str | None, _option(_WHAT, help="The suites' size: short for --set tier=TIER.")]
Roots = Annotated[
    list[str] | None, _option(_WHAT, metavar="[SUITE=]PATH", help="Folder of the data; else under MMBENCH_DATA.")
]
TrackName = Annotated[str, _option(_FAIR, help="frozen: encoders are kept; finetune: they are trained on; or both.")]
Labels = Annotated[
    str, _option(_FAIR, metavar="PERCENT,...", help="Shares of the training split, such as 1,2,5,10,25,100.")
]
Trials = Annotated[int, _option(_FAIR, min=0, help="Random trials of tuning for each strategy; 0: none.")]
Matched = Annotated[bool, _option(_FAIR, "--match-params", help="Solve hidden widths for the parameters of concat.")]
Steps = Annotated[int | None, _option(_HOW, min=1, help="Gradient steps of each training.")]
EncoderSteps = Annotated[int | None, _option(_HOW, min=1, help="Steps of each encoder's own stage.")]
BatchSize = Annotated[int | None, _option(_HOW, min=1, help="Samples per step.")]
Rate = Annotated[float | None, _option(_HOW, "--lr", help="Highest learning rate.")]
Width = Annotated[int | None, _option(_HOW, min=1, max=512, help="Channels of a feature.")]
Stride = Annotated[
    int | None, _option(_HOW, min=1, max=8, help="1, 2, 4 or 8: features at 1/stride of the resolution.")
]
Size = Annotated[str | None, _option(_HOW, metavar="HxW", help="Resize pictures to this.")]
Device = Annotated[str, _option(_HOW, help="auto, cpu, cuda, cuda:N or mps.")]
Threads = Annotated[int | None, _option(_HOW, min=1, help="CPU threads.")]
Output = Annotated[Path | None, _option(_OUT, "--output", "-o", help="Folder of the study; results/study by default.")]
Form = Annotated[str, _option(_OUT, "--format", "-f", help="table or md.")]
Figures = Annotated[str | None, _option(_OUT, help="Draw figures into the folder: png or svg.")]
Draws = Annotated[int, _option(_OUT, min=100, help="Bootstrap draws of each interval in the cells' records.")]
DryRun = Annotated[bool, _option(_OUT, "--dry-run", help="Say how many cells and minutes it takes, and train nothing.")]


def study(
    context: typer.Context,
    suite: Suites,
    fusion: Fusions,
    seeds: Seeds = 5,
    against: Against = "concat",
    settings: Settings = None,
    tier: Tier = None,
    data_root: Roots = None,
    track: TrackName = "frozen",
    labels: Labels = "100",
    trials: Trials = 0,
    match_params: Matched = False,
    steps: Steps = None,
    encoder_steps: EncoderSteps = None,
    batch_size: BatchSize = None,
    lr: Rate = None,
    width: Width = None,
    stride: Stride = None,
    size: Size = None,
    device: Device = "auto",
    threads: Threads = None,
    output: Output = None,
    form: Form = "table",
    figures: Figures = None,
    draws: Draws = 1000,
    dry_run: DryRun = False,
) -> int:
    """Train fusion strategies on the same data, encoders, order and budget, with controls, and say which is better.

    Every cell (strategy, seed, ...) is stored; the same command goes on where a stopped one was.

    mmbench study --suite cls-it --fusion feat_linear,gmu,cross_attention --seeds 5
    """
    require_torch("mmbench study")
    import torch

    from mmbench.adapters.numerics import choose_device
    from mmbench.models.planning import Choices
    from mmbench.runner.suites import parse_roots, parse_settings
    from mmbench.study.design import design
    from mmbench.study.opening import Opening

    chosen = one_of("--track", track, ("frozen", "finetune", "both"))
    tracks: tuple[Track, ...] = ("frozen", "finetune") if chosen == "both" else (chosen,)
    made = design(
        suite,
        _names(fusion),
        seeds,
        tracks=tracks,
        shares=_shares(labels),
        against=against,
        trials=trials,
        matched=match_params,
    )
    choices = Choices(
        fusion=against,
        output=Path("unused"),
        steps=steps,
        encoder_steps=encoder_steps,
        batch_size=batch_size,
        rate=positive_rate(lr),
        width=width,
        stride=power_of_two(stride),
        size=height_and_width("--size", size),
        device=choose_device(device),
    )
    if threads is not None:
        torch.set_num_threads(threads)
    one_of("--format", form, ("table", "md"))
    one_of("--figures", figures, ("png", "svg"))
    opening = Opening(
        choices,
        parse_settings([*(settings or ()), *([f"tier={tier}"] if tier else ())]),
        parse_roots(data_root or ()),
        draws,
        ("mmbench", *(context.obj or sys.argv[1:])),
    )
    folder = output or Path("results/study")
    if dry_run:
        return _preview(made, opening, folder)
    return _studied(made, opening, folder, form, figures)


def _studied(made: Design, opening: Opening, folder: Path, form: str, figures: str | None) -> ExitCode:
    from mmbench.cli.watching_study import StudyReporter
    from mmbench.study.execute import Work, run
    from mmbench.study.opening import benches
    from mmbench.study.summary import table_of

    with StudyReporter() as reporter:
        done = [run(Work(bench, made, folder), reporter) for bench in benches(made, opening, reporter.trained)]
    _write_cells(done, folder)
    tables = [table_of(one, made) for one in done]
    _show(tables, folder, form, figures)
    return worst(failure.error.exit_code for one in done for failure in one.failed)


def _write_cells(done: list[Done], folder: Path) -> None:
    from mmbench.reports.study_csv import cells_csv, timings_csv, tuning_csv

    finished = [cell for one in done for cell in one.finished]
    screen.save(folder / "cells.csv", cells_csv(finished))
    screen.save(folder / "timings.csv", timings_csv(finished))
    if any(tuned.scores for one in done for tuned in one.tuned.values()):
        screen.save(folder / "tuning.csv", tuning_csv(done))


def _show(tables: list[StudyTable], folder: Path, form: str, figures: str | None) -> None:
    from mmbench.reports import markdown, table
    from mmbench.reports.study_figures import save_figures
    from mmbench.reports.study_sections import part
    from mmbench.reports.terminal import drawn

    parts = [part(found) for found in tables]
    text = "\n\n".join(markdown.blocks(parts)) + "\n"
    screen.save(folder / "study.md", text)
    for found in tables if figures else ():
        for file in save_figures(found, folder, figures or "png"):
            typer.echo(f"Wrote {file}.", err=True)
    screen.write(text if form == "md" else drawn(table.blocks(parts), screen.width(), screen.colour()))


def _preview(made: Design, opening: Opening, folder: Path) -> ExitCode:
    from mmbench.reports.study_preview import lines
    from mmbench.study.execute import Work
    from mmbench.study.opening import benches
    from mmbench.study.preview import preview

    for bench in benches(made, opening, lambda _: None):
        for line in lines(preview(Work(bench, made, folder))):
            typer.echo(line)
    return ExitCode.OK


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _shares(text: str) -> list[int]:
    if re.fullmatch(r"\d{1,3}(,\d{1,3})*", text) is None:
        raise UsageError(f"--labels {text!r} is no list of per cents; expected one as in --labels 1,2,5,10,25,100.")
    return [int(part) for part in text.split(",")]
