"""``mmbench study``: trains and compares fusion strategies on the same footing."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmbench.cli import screen
from mmbench.cli.training_flags import height_and_width, one_of, positive_rate, power_of_two, require_torch
from mmbench.core.errors import ExitCode, UsageError, worst

if TYPE_CHECKING:
    from mmbench.reports.grid import Part
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
Mode = Annotated[
    str,
    _option(
        _WHAT,
        help="single; cross: each suite, then the others after it with new heads from 16, 64, 256 labels; generality: "
        "the first suite, the others after it, and its generality splits.",
    ),
]
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


@dataclass(frozen=True, slots=True)
class Flags:
    """Where a study is, what it is of, and how it is shown."""

    folder: Path
    mode: str
    form: str
    figures: str | None


def study(
    context: typer.Context,
    suite: Suites,
    fusion: Fusions,
    seeds: Seeds = 5,
    against: Against = "concat",
    settings: Settings = None,
    tier: Tier = None,
    data_root: Roots = None,
    mode: Mode = "single",
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
    one_of("--mode", mode, ("single", "cross", "generality"))
    one_of("--format", form, ("table", "md"))
    one_of("--figures", figures, ("png", "svg"))
    opening = Opening(
        choices,
        parse_settings([*(settings or ()), *([f"tier={tier}"] if tier else ())]),
        parse_roots(data_root or ()),
        draws,
        ("mmbench", *(context.obj or sys.argv[1:])),
    )
    flags = Flags(output or Path("results/study"), mode, form, figures)
    if mode != "single" and (trials or track != "frozen" or labels != "100"):
        raise UsageError(f"--mode {mode} is of the frozen track, without --trials and --labels; leave these out.")
    return _preview(made, opening, flags.folder) if dry_run else _studied(made, opening, flags)


def _studied(made: Design, opening: Opening, flags: Flags) -> ExitCode:
    from mmbench.cli.watching_study import StudyReporter
    from mmbench.reports import generality as general_report
    from mmbench.reports.study_sections import part
    from mmbench.study import modes
    from mmbench.study.generality import generality
    from mmbench.study.summary import table_of

    work = {"single": modes.single, "cross": modes.cross, "generality": modes.general}[flags.mode]
    with StudyReporter() as reporter:
        studied = list(work(made, opening, modes.Desk(flags.folder, reporter, reporter.trained)))
    _write_cells([one.done for one in studied], flags.folder)
    tables = [table_of(one.done, one.design) for one in studied]
    parts = [part(table) for table in tables]
    if flags.mode == "generality":
        held = [table for table, one in zip(tables, studied, strict=True) if one.held_out]
        parts.append(general_report.part(generality(held)))
    _show(parts, flags)
    _draw(tables, flags)
    return worst(failure.error.exit_code for one in studied for failure in one.done.failed)


def _write_cells(done: list[Done], folder: Path) -> None:
    from mmbench.reports.study_csv import cells_csv, timings_csv, tuning_csv

    screen.save(folder / "cells.csv", cells_csv(done))
    screen.save(folder / "timings.csv", timings_csv(done))
    if any(tuned.scores for one in done for tuned in one.tuned.values()):
        screen.save(folder / "tuning.csv", tuning_csv(done))


def _show(parts: list[Part], flags: Flags) -> None:
    from mmbench.reports import markdown, table
    from mmbench.reports.terminal import drawn

    text = "\n\n".join(markdown.blocks(parts)) + "\n"
    screen.save(flags.folder / "study.md", text)
    screen.write(text if flags.form == "md" else drawn(table.blocks(parts), screen.width(), screen.colour()))


def _draw(tables: list[StudyTable], flags: Flags) -> None:
    from mmbench.reports.study_figures import save_figures

    for found in tables if flags.figures else ():
        for file in save_figures(found, flags.folder, flags.figures or "png"):
            typer.echo(f"Wrote {file}.", err=True)


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
