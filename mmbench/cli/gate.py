"""``mmbench gate``: does the head do worse than the base? The exit code says it to a CI job."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mmbench.cli import screen
from mmbench.cli.gate_ab import Told, ab, check_annotations, tell_times, write_files
from mmbench.core.errors import ExitCode, UnknownName, UsageError

if TYPE_CHECKING:
    from mmbench.gate.decide import GateReport
    from mmbench.gate.session import Session
    from mmbench.gate.spec import GateSpec
    from mmbench.gate.times import TimeReport

_CONFIG = Path("mmbench.toml")

gate = typer.Typer(invoke_without_command=True, rich_markup_mode="rich")

Base = Annotated[str | None, typer.Option(help="The reference: a folder of runs, or a run.", show_default=False)]
HeadSide = Annotated[str | None, typer.Option(help="What is gated: a folder of runs, or a run.", show_default=False)]
Config = Annotated[Path | None, typer.Option(help="The gate's file; else mmbench.toml here, if it is there.")]
Results = Annotated[Path, typer.Option("--results", help="The folder in which a run is looked for by name.")]
Change = Annotated[
    str,
    typer.Option(envvar=["GITHUB_SHA", "CI_COMMIT_SHA"], help="What the ledger knows the head by: its commit."),
]
_RESULTS = Path("results")


def today() -> date:
    """The clock of waivers: the day in UTC."""
    return datetime.now(UTC).date()


@gate.callback()
def check(
    typed: typer.Context,
    base: Base = None,
    head: HeadSide = None,
    config: Config = None,
    context: Annotated[str, typer.Option(help="Chooses on_inconclusive: pr, release or your own.")] = "pr",
    md: Annotated[Path | None, typer.Option(help="Append Markdown to this file (a step summary).")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML to this file.")] = None,
    annotations: Annotated[str | None, typer.Option(help="github: print workflow commands.")] = None,
    change: Change = "",
    results: Results = _RESULTS,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of mmbench.toml.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> int:
    """Gate a change: PASS, REGRESS or INCONCLUSIVE for each metric, paired by sample.

    mmbench gate --base references --head results --config mmbench.toml

    Exit codes: 0 no regression; 1 regression; 3 inconclusive where the policy says fail; 4 not comparable, or nothing
    to compare with; 5 too little data to say anything; 6 samples failed; 7 a run cannot be read.
    """
    if typed.invoked_subcommand is not None:
        return ExitCode.OK
    if schema:
        return _schema()
    check_annotations(annotations)
    told = Told(md, junit, annotations, as_json)
    if base is not None and head is not None and (times := _times(base, head, _spec(config), results, context)):
        tell_times(times, told)
        return times.code
    session = _session(base, head, config, results, change)
    report = session.report(context, today())
    session.remember(report)
    _tell(report, told)
    return report.code


@gate.command()
def accept(
    run: Annotated[str, typer.Argument(metavar="RUN", help="The run: a folder, or the end of its name.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder of references, meant for git.")],
    reason: Annotated[str, typer.Option(help="Why the reference changes; kept in the record.")] = "",
    results: Results = _RESULTS,
) -> int:
    """Keep a run as the reference: its record and its rows, no predictions, in a folder meant for git."""
    from mmbench.gate.references import accept as keep
    from mmbench.store import find_runs, resolve_run

    several = find_runs([Path(run)]) if Path(run).is_dir() else [resolve_run(run, results)]
    for kept in keep(several, output, today(), reason):
        size = sum(file.stat().st_size for file in kept.folder.iterdir()) / 1024
        typer.echo(f"Accepted {kept.record.id} as {kept.folder} ({size:.0f} KiB).")
    typer.echo(f"Next: mmbench gate --base {output} --head RUN")
    return ExitCode.OK


@gate.command()
def explain(
    metric: Annotated[str, typer.Argument(metavar="METRIC", help="As the gate prints it: miou, miou{time=night}.")],
    base: Base = None,
    head: HeadSide = None,
    config: Config = None,
    context: Annotated[str, typer.Option(help="Chooses on_inconclusive.")] = "pr",
    change: Change = "",
    results: Results = _RESULTS,
) -> int:
    """Say of one metric what was measured, the bounds, the rule, and what would change the outcome."""
    from mmbench.gate.explaining import blocks
    from mmbench.reports.terminal import drawn

    report = _session(base, head, config, results, change).report(context, today())
    found = [finding for finding in report.findings if finding.metric == metric]
    if not found:
        raise UnknownName("gated metric", metric, {finding.metric for finding in report.findings})
    told = [block for finding in found for block in blocks(finding, report)]
    screen.write(drawn(told, screen.width(), screen.colour()))
    return ExitCode.OK


@gate.command()
def plan(
    base: Base = None,
    head: HeadSide = None,
    config: Config = None,
    change: Change = "",
    results: Results = _RESULTS,
    write: Annotated[Path | None, typer.Option(help="Write the proposal as a new gate's file.")] = None,
) -> int:
    """Propose margins from two runs of like models: what this many samples can decide, and how many it takes."""
    from mmbench.gate.planning import blocks, plans, toml
    from mmbench.reports.terminal import drawn

    session = _session(base, head, config, results, change)
    proposed = plans(session.family, session.spec)
    screen.write(drawn(blocks(proposed), screen.width(), screen.colour()))
    if write is not None:
        if write.exists():
            raise UsageError(f"{write} exists; choose another file for --write, and copy the margins over.")
        screen.save(write, toml(proposed, session.spec))
    return ExitCode.OK


gate.command()(ab)


def _times(base: str, head: str, spec: GateSpec, results: Path, context: str) -> TimeReport | None:
    """The report of latency runs, or of files of pytest-benchmark; None where the runs hold scores."""
    from mmbench.gate.history import gate_history, is_history
    from mmbench.gate.sides import side
    from mmbench.gate.stored_times import gate_times, is_latency

    if is_history(base, head):
        return gate_history(Path(base), Path(head), spec, context)
    sides = side(base, results, "reference"), side(head, results, "head")
    return gate_times(*sides, spec, context) if is_latency([*sides[0], *sides[1]]) else None


def _schema() -> ExitCode:
    from mmbench.gate.spec import json_schema

    typer.echo(json.dumps(json_schema(), indent=1))
    return ExitCode.OK


def _session(base: str | None, head: str | None, config: Path | None, results: Path, change: str) -> Session:
    from mmbench.gate.session import open_session

    if base is None or head is None:
        lacking = " and ".join(name for name, text in (("--base", base), ("--head", head)) if text is None)
        raise UsageError(f"mmbench gate expects two sides; add {lacking} (a folder of runs, or a run).")
    return open_session(base, head, _spec(config), results, change)


def _spec(config: Path | None) -> GateSpec:
    from mmbench.gate.spec import GateSpec, read_spec

    if config is None and not _CONFIG.exists():
        return GateSpec()
    return read_spec(config or _CONFIG)


def _tell(report: GateReport, told: Told) -> None:
    from mmbench.gate import outputs
    from mmbench.gate.ci import github
    from mmbench.reports.terminal import drawn

    write_files(told, outputs.markdown(report), outputs.cases(report))
    if told.as_json:
        typer.echo(json.dumps(outputs.as_json(report), indent=1, ensure_ascii=False, allow_nan=False))
        return
    screen.write(drawn(outputs.blocks(report), screen.width(), screen.colour()))
    if told.annotations:
        screen.write(github(outputs.cases(report)))
